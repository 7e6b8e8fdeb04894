#include "run/waiting.hpp"

#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/journal.hpp"
#include "run/new_database.hpp"

namespace pgsluice::run {

namespace {

using Words = std::map<std::string, std::vector<std::string>>;

template <class Choice>
struct Named {
    Choice choice;
    const char* word;
};
constexpr Named<DriftChoice> drifts[] = {
    {DriftChoice::replay, "replay"}, {DriftChoice::carry, "carry"}, {DriftChoice::fail, "fail"}};
constexpr Named<ExtrasChoice> extras[] = {
    {ExtrasChoice::keep, "keep"}, {ExtrasChoice::drop, "drop"}, {ExtrasChoice::fail, "fail"}};
constexpr Named<AclSource> acls[] = {
    {AclSource::target, "target"}, {AclSource::source, "source"}, {AclSource::both, "both"}};

template <class Choice, std::size_t n>
std::vector<std::string> word_of(const Named<Choice> (&names)[n], Choice choice) {
    for (const Named<Choice>& named : names)
        if (named.choice == choice) return {named.word};
    return {};
}

template <class Choice, std::size_t n>
void choose(const Named<Choice> (&names)[n], const Words& words, const char* option, Choice& choice) {
    const auto found = words.find(option);
    if (found == words.end() || found->second.empty()) return;
    for (const Named<Choice>& named : names)
        if (named.word == found->second.front()) choice = named.choice;
}

void fill(const Words& words, const char* option, std::vector<std::string>& list) {
    const auto found = words.find(option);
    if (list.empty() && found != words.end()) list = found->second;
}

std::string display(const WaitingRun& run) { return "database " + one_line(run.database); }

} // namespace

Task<std::vector<WaitingRun>> find_waiting(pq::Connection& maintenance, pq::Connection& target,
                                           std::string target_database) {
    std::vector<WaitingRun> found;
    const bool known = co_await has_journal(target);
    if (!known) co_return found;
    const std::string sql = "select run_id, source, database, started, state, report->'waiting' as waiting, "
                            "report->'tables' as tables from pgsluice.run where state in (" +
                            pq::quote_literal(waiting_state) + ", " + pq::quote_literal(merging_state) +
                            ") order by started desc, run_id";
    const pq::Rows rows = co_await target.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        WaitingRun run;
        run.run_id = rows.at(i, "run_id");
        run.source = rows.at(i, "source");
        run.database = rows.at(i, "database");
        run.since = rows.at(i, "started");
        run.half_merged = rows.at(i, "state") == merging_state;
        run.waiting = rows.at(i, "waiting");
        run.tables = rows.at(i, "tables");
        // A name that this target and that run id would not give is not ours.
        if (run.database != beside_database_name(target_database, run.run_id)) continue;
        const std::optional<DatabaseFacts> facts = co_await find_database(maintenance, run.database);
        if (facts) run.oid = facts->oid;
        found.push_back(std::move(run));
    }
    co_return found;
}

Task<void> refuse_waiting(Context& context, pq::Connection& maintenance, pq::Connection& target) {
    if (context.options.discard_waiting) co_return;
    for (const WaitingRun& run : co_await find_waiting(maintenance, target, context.target_database())) {
        if (run.oid == 0) {
            context.note(display(run), "of run " + run.run_id + ", which waited for its swap, is gone");
            continue;
        }
        Error error{ErrorKind::refused, run.half_merged
                                            ? "a database is left half merged by a swap that failed"
                                            : "a database waits for its swap since " + one_line(run.since)};
        error.object(display(run));
        throw error.hint(std::string(run.half_merged ? "" : "pgsluice swap --target ... swaps it in; ") +
                         "refresh --discard-waiting drops it and builds another");
    }
}

Task<std::vector<std::string>> discard_waiting(Context& context, pq::Connection& maintenance,
                                               pq::Connection& target) {
    std::vector<std::string> dropped;
    for (const WaitingRun& run : co_await find_waiting(maintenance, target, context.target_database())) {
        if (run.oid != 0) {
            co_await drop_database(maintenance, run.database, run.oid);
            dropped.push_back(run.database);
        }
        const std::string sql =
            "update pgsluice.run set state = 'discarded' where run_id = " + pq::quote_literal(run.run_id);
        co_await target.command(sql);
    }
    co_return dropped;
}

Words waiting_options(const RefreshOptions& options) {
    Words words;
    words["--preserve"] = options.preserve;
    words["--reference"] = options.references;
    words["--keep"] = options.keep;
    if (options.source_is_right) words["--source-is-right"] = {"true"};
    if (options.keep_deleted) words["--keep-deleted"] = {"true"};
    if (!options.keep_previous) words["--drop-previous"] = {"true"};
    words["--drift"] = word_of(drifts, options.drift);
    words["--extras"] = word_of(extras, options.extras);
    words["--acl"] = word_of(acls, options.acl);
    words["--migrations"] = options.migration_tables;
    words["--with"] = options.with_kinds;
    if (!options.template_database.empty()) words["--template"] = {options.template_database};
    for (const auto& [from, to] : options.map_roles) {
        words["--map-role from"].push_back(from);
        words["--map-role to"].push_back(to);
    }
    return words;
}

void apply_waiting_options(const Words& words, RefreshOptions& options) {
    fill(words, "--preserve", options.preserve);
    fill(words, "--reference", options.references);
    fill(words, "--keep", options.keep);
    fill(words, "--migrations", options.migration_tables);
    fill(words, "--with", options.with_kinds);
    if (words.contains("--source-is-right")) options.source_is_right = true;
    if (words.contains("--keep-deleted")) options.keep_deleted = true;
    if (words.contains("--drop-previous")) options.keep_previous = false;
    choose(drifts, words, "--drift", options.drift);
    choose(extras, words, "--extras", options.extras);
    choose(acls, words, "--acl", options.acl);
    const auto from_database = words.find("--template");
    if (from_database != words.end()) options.template_database = from_database->second.front();
    const auto from = words.find("--map-role from"), to = words.find("--map-role to");
    if (from == words.end() || to == words.end()) return;
    for (std::size_t i = 0; i < from->second.size() && i < to->second.size(); ++i)
        options.map_roles[from->second[i]] = to->second[i];
}

} // namespace pgsluice::run
