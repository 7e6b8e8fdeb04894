#include "run/row_rounds.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "run/refusal.hpp"

namespace pgsluice::run {

namespace {

using Role = merge::MergeTable::Role;
using Moment = merge::RowSql::Moment;

// Extras whose keys refer to each other in circles settle in a few; contradictory ones never would.
constexpr int circles_max = 20;

std::int64_t to_number(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

std::string shown(const merge::MergeTable& table) {
    return one_line(table.name.schema + "." + table.name.name);
}

bool follows(const merge::RowPlan& plan, const merge::MergeTable& table) {
    if (table.role != Role::extra) return false;
    for (const merge::Reference& reference : plan.references)
        if (reference.child == table.name) return true;
    return false;
}

std::vector<std::size_t> following(const merge::RowPlan& plan) {
    std::vector<std::size_t> extras;
    for (std::size_t i = 0; i < plan.tables.size(); ++i)
        if (follows(plan, plan.tables[i])) extras.push_back(i);
    return extras;
}

Task<std::uint64_t> RowRounds::send(std::string sql, std::size_t i) {
    try {
        const pq::Rows rows = co_await session_.rows(std::move(sql), limits::statement_wait_max);
        co_return rows.rows_affected();
    } catch (Error& error) {
        if (error.object().empty()) error.object("table " + shown(sql_.plan().tables[i]));
        if (error.sqlstate() == "2200H")
            error.hint("ALTER SEQUENCE ... MAXVALUE on the source, or a wider type for the column");
        throw error.during("cannot merge the target's rows");
    }
}

Task<bool> RowRounds::send_all(merge::Statements statements, std::size_t i) {
    bool changed = false;
    for (const std::string& statement : statements) {
        const std::uint64_t rows = co_await send(statement, i);
        if (rows > 0 && (statement.starts_with("update") || statement.starts_with("with pair")))
            changed = true;
    }
    co_return changed;
}

Task<void> RowRounds::compute() {
    // Staging tables change under the server's statistics with every statement: a nested loop that is right
    // for the few rows it takes for granted runs for minutes over all of them. Keys are compared by hashing.
    const std::string hash = "set enable_nestloop = off", as_before = "reset enable_nestloop";
    co_await session_.command(hash);
    co_await compute_all();
    co_await session_.command(as_before);
}

Task<void> RowRounds::compute_all() {
    for (std::size_t i = 0; i < sql_.plan().tables.size(); ++i) {
        if (!sql_.staged(i)) continue;
        const std::string find_bad = sql_.find_bad_rows(i);
        if (!find_bad.empty()) co_await send(find_bad, i);
        co_await send_all(sql_.fill(i), i);
        if (sql_.plan().tables[i].expression_keys.empty()) {
            co_await send_all(sql_.mark_deleted(i), i);
        } else {
            merge::Statements statements = sql_.compute_generated(i);
            const merge::Statements deleted = sql_.mark_deleted(i);
            statements.insert(statements.end(), deleted.begin(), deleted.end());
            (void)co_await settle(std::move(statements), i, Moment::matching);
        }
    }
    for (const std::string& statement : sql_.links()) co_await send(statement, 0);
    co_await run_rounds();
    std::vector<std::size_t> staged;
    for (std::size_t i = 0; i < sql_.plan().tables.size(); ++i)
        if (sql_.staged(i)) staged.push_back(i);
    co_await check_until_stable(staged);
}

// Whether any row was found to be the source's.
Task<bool> RowRounds::settle_cycles() {
    std::vector<std::size_t> tables;
    for (std::size_t i = 0; i < sql_.plan().tables.size(); ++i) {
        if (!sql_.staged(i)) continue;
        const std::string waits_sql = sql_.waits_in_cycle(i);
        const std::string waits = co_await session_.value(waits_sql, limits::statement_wait_max);
        if (waits == "t") tables.push_back(i);
    }
    if (tables.empty()) co_return false;
    co_await send_all(sql_.forget_pairs(), 0);
    for (const std::size_t i : tables) co_await send_all(sql_.pair_candidates(i), i);
    for (bool more = true; more;) {
        more = false;
        for (const std::size_t i : tables) {
            const merge::Statements statements = sql_.spread_pairs(i);
            for (const std::string& statement : statements) {
                const std::uint64_t added = co_await send(statement, i);
                more = more || added > 0;
            }
        }
    }
    for (const std::size_t i : tables) co_await send_all(sql_.find_needs(i), i);
    co_await drop_unmet();
    co_await send(sql_.prefer_same_key(), 0);
    co_await drop_unmet();
    co_await send_all(sql_.drop_doubtful(), 0);
    for (const std::size_t i : tables) co_await send(sql_.drop_taken(i), i);
    co_await drop_unmet();
    std::uint64_t found = 0;
    for (const std::size_t i : tables) {
        const std::uint64_t settled = co_await send(sql_.settle_pairs(i), i);
        found += settled;
    }
    for (std::size_t k = 0; k < tables.size() && found == 0; ++k) {
        const std::uint64_t settled = co_await send(sql_.settle_recorded(tables[k]), tables[k]);
        found += settled;
    }
    co_return found > 0;
}

Task<void> RowRounds::drop_unmet() {
    for (std::uint64_t dropped = 1; dropped > 0;) dropped = co_await send(sql_.drop_unmet(), 0);
}

Task<void> RowRounds::run_rounds() {
    for (;;) {
        bool changed = false;
        for (std::size_t i = 0; i < sql_.plan().tables.size(); ++i) {
            if (!sql_.staged(i)) continue;
            const std::string waits_sql = sql_.waits(i);
            const std::string waits = co_await session_.value(waits_sql, limits::statement_wait_max);
            if (waits != "t") continue;
            const bool now = co_await send_all(sql_.round(i), i);
            changed = changed || now;
        }
        if (changed) continue;
        changed = co_await settle_cycles();
        if (changed) continue;
        // What is left waits for itself: first the rows that only might have equals, then those whose keys
        // do.
        for (std::size_t i = 0; i < sql_.plan().tables.size(); ++i) {
            if (!sql_.staged(i)) continue;
            const std::uint64_t forced = co_await send(sql_.force_waiting(i), i);
            changed = changed || forced > 0;
        }
        for (std::size_t i = 0; i < sql_.plan().tables.size() && !changed; ++i) {
            if (!sql_.staged(i)) continue;
            const bool forced = co_await send_all(sql_.force_all(i), i);
            changed = changed || forced;
        }
        if (!changed) co_return;
    }
}

Task<void> RowRounds::move_extras(std::vector<std::size_t> extras) {
    const std::string hash = "set enable_nestloop = off", as_before = "reset enable_nestloop";
    co_await session_.command(hash);
    if (sql_.extras_in_cycles()) {
        std::string before, now = co_await marks(extras);
        for (int circle = 0; circle < circles_max && now != before; ++circle) {
            before = now;
            co_await move_all(extras);
            now = co_await marks(extras);
        }
    } else {
        co_await move_all(extras);
    }
    co_await session_.command(as_before);
}

Task<void> RowRounds::move_all(std::vector<std::size_t> extras) {
    for (const std::size_t i : extras) {
        const std::vector<std::size_t> one{i};
        co_await send_all(sql_.stage_extra(i), i);
        co_await send("analyze " + sql_.rows(i), i);
        co_await send_all(sql_.move_extra(i), i);
        co_await check_until_stable(one);
    }
}

Task<std::string> RowRounds::marks(std::vector<std::size_t> extras) {
    std::string marks;
    for (const std::size_t i : extras) {
        const std::string sql = sql_.extra_mark(i);
        const std::string mark = co_await session_.value(sql, limits::statement_wait_max);
        marks += mark + ";";
    }
    co_return marks;
}

Task<void> RowRounds::check_until_stable(std::vector<std::size_t> tables) {
    // When the server last looked every row was undecided: it would take the rows to add for none, and loop.
    for (const std::size_t i : tables) co_await send("analyze " + sql_.rows(i), i);
    for (bool changed = true; changed;) {
        changed = false;
        for (const std::size_t i : tables) {
            const bool now = co_await settle(sql_.check(i), i, Moment::checking);
            changed = changed || now;
        }
    }
}

// A row for which a check or a key cannot be computed is no row of the table: it goes, the others come.
Task<bool> RowRounds::settle(merge::Statements statements, std::size_t i, Moment moment) {
    bool rejected = false;
    for (;;) {
        const std::optional<Error> failure = co_await attempt(statements, i);
        if (!failure) co_return changed_ || rejected;
        co_await send_all(sql_.number_rows(i), i);
        const bool of_generated = co_await reject_uncomputable(i, Moment::generating);
        co_await send_all(sql_.compute_generated(i), i); // the failure has taken them back
        const bool of_others = co_await reject_uncomputable(i, moment);
        if (!of_generated && !of_others) throw *failure;
        rejected = true;
    }
}

// What may be for the row's values; everything else is thrown. The transaction, if there is one, goes on.
Task<std::optional<Error>> RowRounds::attempt(merge::Statements statements, std::size_t i) {
    const bool in_transaction = session_.in_transaction();
    const std::string begin = "savepoint attempt", end = "release savepoint attempt",
                      back = "rollback to savepoint attempt; release savepoint attempt";
    if (in_transaction) co_await session_.command(begin);
    std::optional<Error> failure;
    try {
        changed_ = co_await send_all(std::move(statements), i);
    } catch (const Error& error) {
        // 42: the expression itself is wrong, for each row.
        if (session_.broken() || !refuses_the_object(error) || error.sqlstate().starts_with("42")) throw;
        failure = error;
    }
    const std::string& finish = failure ? back : end;
    if (in_transaction) co_await session_.command(finish);
    co_return failure;
}

Task<bool> RowRounds::reject_uncomputable(std::size_t i, Moment moment) {
    bool found = false;
    const std::vector<merge::RowSql::Probe> probes = sql_.probes(i, moment);
    for (const merge::RowSql::Probe& probe : probes) {
        const std::string undecided = sql_.undecided(i);
        const pq::Rows bounds = co_await session_.rows(undecided, limits::statement_wait_max);
        const auto first = bounds.get(0, "first"), last = bounds.get(0, "last");
        if (!first || !last) continue;
        const bool rejected = co_await reject_between(probe, i, to_number(*first), to_number(*last));
        found = found || rejected;
    }
    co_return found;
}

// By halves: rows are many, and those that fail are few.
Task<bool> RowRounds::reject_between(merge::RowSql::Probe probe, std::size_t i, std::int64_t first,
                                     std::int64_t last) {
    bool rejected = false;
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges = {{first, last}};
    while (!ranges.empty()) {
        const auto [low, high] = ranges.back();
        ranges.pop_back();
        const merge::Statements one{sql_.compute(i, probe, low, high)};
        const std::optional<Error> failure = co_await attempt(one, i);
        if (!failure) continue;
        if (low == high) {
            co_await send(sql_.reject_one(i, probe.why + " [" + failure->sqlstate() + "]", low), i);
            rejected = true;
            continue;
        }
        const std::int64_t middle = low + (high - low) / 2;
        ranges.emplace_back(middle + 1, high);
        ranges.emplace_back(low, middle);
    }
    co_return rejected;
}

Task<report::MergedTable> RowRounds::count(std::size_t i) {
    const merge::MergeTable& table = sql_.plan().tables[i];
    const std::string counts_sql = sql_.counts(i), reasons_sql = sql_.reasons(i);
    const pq::Rows counts = co_await session_.rows(counts_sql, limits::statement_wait_max);
    const pq::Rows reasons = co_await session_.rows(reasons_sql, limits::statement_wait_max);
    const auto number = [&](std::string_view column) {
        return static_cast<std::uint64_t>(to_number(counts.at(0, column)));
    };
    report::MergedTable line;
    line.table = shown(table);
    line.preserved = table.role == Role::preserved;
    line.same = number("same");
    line.added = line.preserved ? number("added") : 0;
    line.new_keys = number("new_keys");
    line.repointed = number("repointed");
    line.duplicates = number("duplicates");
    line.deleted = number("deleted");
    line.rejected = number("rejected");
    line.nulled = number("nulled");
    for (std::size_t k = 0; k < reasons.size(); ++k) line.reasons.emplace_back(reasons.at(k, std::size_t{0}));
    co_return line;
}

} // namespace pgsluice::run
