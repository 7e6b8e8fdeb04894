# shellcheck shell=bash disable=SC2034,SC2154  # sourced by bench/compare, which sets work and reads measured
# measure LOG COMMAND...: runs a command or shell function with its output in LOG and sets `measured` to one line:
# exit status, wall, user and system seconds, peak memory in KiB. `child` holds its process meanwhile.
# Peak memory is the largest sum, over the command's living processes (shells not counted), of each one's high water
# mark as the kernel keeps it; a look every 0.1 s. No package beyond bash: /proc and the shell's own clock.
measure() {
    local log=$1 times=$work/times status=0 peak=0 sum
    shift
    (
        trap - EXIT INT TERM HUP
        TIMEFORMAT='%3R %3U %3S'
        { time "$@" >"$log" 2>&1; } 2>"$times"
    ) &
    child=$!
    while kill -0 "$child" 2>/dev/null; do
        sum=0
        add_memory_below "$child"
        ((sum <= peak)) || peak=$sum
        pause 0.1
    done
    wait "$child" || status=$?
    child=''
    measured="$status $(tail -n 1 "$times") $peak"
}

# Adds the high water marks of the processes below $1 to `sum`.
add_memory_below() {
    local pid children='' status
    read -r children 2>/dev/null <"/proc/$1/task/$1/children" || true
    for pid in $children; do
        status=''
        read -r -d '' status 2>/dev/null <"/proc/$pid/status" || true
        if [[ ! $status =~ ^Name:[[:space:]]*(bash|compare) && $status =~ VmHWM:[[:space:]]*([0-9]+) ]]; then
            sum=$((sum + BASH_REMATCH[1]))
        fi
        add_memory_below "$pid"
    done
}

# sleep without a process: waits for input that never comes.
pause() {
    if [[ -z ${pause_input:-} ]]; then
        mkfifo "$work/never"
        exec {pause_input}<>"$work/never"
    fi
    read -r -t "$1" -u "$pause_input" _ || true
}

# Ends process $1 and all below it.
end_tree() {
    local pid children=''
    read -r children 2>/dev/null <"/proc/$1/task/$1/children" || true
    kill "$1" 2>/dev/null || true
    for pid in $children; do end_tree "$pid"; done
}

# Seconds of CPU of the process trees of $@; what their ended children used is in the parents' numbers.
cpu_of_trees() {
    local pids=("$@") pid children line fields ticks=0 i
    for ((i = 0; i < ${#pids[@]}; i++)); do
        pid=${pids[i]} children=''
        read -r line 2>/dev/null <"/proc/$pid/stat" || continue
        read -ra fields <<<"${line##*) }"
        ticks=$((ticks + fields[11] + fields[12] + fields[13] + fields[14]))
        read -r children 2>/dev/null <"/proc/$pid/task/$pid/children" || true
        # shellcheck disable=SC2206  # process numbers
        pids+=($children)
    done
    awk -v ticks="$ticks" -v per_second="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f\n", ticks / per_second }'
}
