// Schema pgsluice of a target database: what pgsluice remembers between runs (rules.md section 5). Owner
// only.
//   pgsluice.run       a line per run: id, command, state, the database it builds, oid of _previous, report
//   as jsonb pgsluice.identity  kind, schema, table, name, arguments of every object the last swapped run
//   took from the source pgsluice.mark      that this database may be overwritten, and from where (rules.md
//   section 7)
//   pgsluice.pending   what of the target could not come along, with its SQL: run/pending
//   pgsluice.rejected  rows of the target that could not be merged, as jsonb
// Created on first use; carried from the old database to the new one before the swap; never copied from the
// source.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/database.hpp"
#include "pq/connection.hpp"

namespace pgsluice::run {

using flow::Task;

struct RunLine {
    // State: running, swapped, failed, stopped, interrupted (killed, as the next run finds); rollback: rolled
    // back.
    std::string run_id, command, state;
    std::string source;                   // display of the source; no secrets
    WallTime started_at{}, finished_at{}; // finished_at is the epoch while the run has not ended
    std::string database;                 // the name it built beside the target
    std::string previous;                 // the name and oid of the database that it moved away
    model::Oid previous_oid = 0;
    std::string report; // JSON, may be empty
};

struct Mark {
    std::string system_identifier, database, allowed_source_host, allowed_source_database;
};

// All take a session inside the target database (or the new one), as its owner.
Task<void>
create_journal(pq::Connection& session); // if not there; refuses a schema pgsluice of another owner
Task<bool> has_journal(pq::Connection& session);
Task<void> begin_run(pq::Connection& session, RunLine line); // committed before CREATE DATABASE
Task<void> end_run(pq::Connection& session, std::string run_id, std::string state, std::string report_json,
                   std::string previous, model::Oid previous_oid);
Task<std::vector<RunLine>> read_runs(pq::Connection& session); // newest first; empty without a journal
// The oid that the last swap or rollback recorded for _previous; nothing when there is none.
Task<std::optional<model::Oid>> recorded_previous(pq::Connection& session);
Task<std::optional<Mark>> read_mark(pq::Connection& session);
Task<void> write_mark(pq::Connection& session, Mark mark);
struct Identities {
    std::string recorded_at; // when, for "dropped in prod since DATE"; empty: no record
    std::set<model::NaturalKey> objects;
    std::map<model::NaturalKey, std::string> definitions; // merge::definition_mark()
    struct Element { // a column of a table, an attribute of a composite type, a label of an enum
        std::string schema, relation, name;
        auto operator<=>(const Element&) const = default;
    };
    std::set<Element> elements;
    // definition_mark() of each comment.
    std::map<model::NaturalKey, std::string> comments;
    std::map<Element, std::string> column_comments;
};
// Of what came from the source: no extras.
Identities identities_of(const model::Database& planned, int server_version);
Task<void> write_identities(pq::Connection& session, std::string run_id, Identities identities);
Task<Identities> read_identities(pq::Connection& session);
// Adds the lines of one table of the schema; through this process, as the databases cannot see each other.
Task<void> carry_table(pq::Connection& from, pq::Connection& to, std::string table, std::string columns,
                       std::string which);
// Copies run (the last 20), their rejected rows, and mark from the old target into the new database.
Task<void> carry_journal(pq::Connection& from, pq::Connection& to);

} // namespace pgsluice::run
