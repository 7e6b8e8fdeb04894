// The rounds of a merge of rows over one session, wherever merge::RowSql says that the rows are.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "merge/row_sql.hpp"
#include "pq/connection.hpp"
#include "report/merge_report.hpp"

namespace pgsluice::run {

using flow::Task;

class RowRounds {
public:
    RowRounds(pq::Connection& session, const merge::RowSql& sql) : session_(session), sql_(sql) {}

    Task<std::uint64_t> send(std::string sql, std::size_t i);         // rows changed
    Task<bool> send_all(merge::Statements statements, std::size_t i); // whether any row of rows_N changed
    // From raw_N: every row decided, every reference followed, what cannot be there rejected.
    Task<void> compute();
    // Of extras that are staged or in their tables: references follow, what cannot be there is rejected.
    Task<void> move_extras(std::vector<std::size_t> extras);
    Task<void> check_until_stable(std::vector<std::size_t> tables);
    Task<report::MergedTable> count(std::size_t i);

private:
    Task<void> compute_all();
    Task<void> run_rounds();
    Task<void> move_all(std::vector<std::size_t> extras);
    Task<std::string> marks(std::vector<std::size_t> extras);
    Task<bool> settle_cycles();
    Task<void> drop_unmet();
    Task<bool> settle(merge::Statements statements, std::size_t i, merge::RowSql::Moment moment);
    Task<std::optional<Error>> attempt(merge::Statements statements, std::size_t i);
    Task<bool> reject_uncomputable(std::size_t i, merge::RowSql::Moment moment);
    Task<bool> reject_between(merge::RowSql::Probe probe, std::size_t i, std::int64_t first,
                              std::int64_t last);

    pq::Connection& session_;
    const merge::RowSql& sql_;
    bool changed_ = false; // by attempt()
};

std::string shown(const merge::MergeTable& table);
// An extra with references that may have to move.
bool follows(const merge::RowPlan& plan, const merge::MergeTable& table);
std::vector<std::size_t> following(const merge::RowPlan& plan);

} // namespace pgsluice::run
