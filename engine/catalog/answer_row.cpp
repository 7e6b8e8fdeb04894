#include "catalog/answer_row.hpp"

#include "base/error.hpp"

namespace pgsluice::catalog {

AnswerRow::AnswerRow(const pq::Rows& rows, bool is_target) : rows_(rows), is_target_(is_target) {
    for (std::size_t column = 0; column < rows.columns(); ++column)
        index_.emplace(rows.column_name(column), column);
}

std::optional<std::string_view> AnswerRow::get(std::string_view column) const {
    const auto at = index_.find(column);
    if (at == index_.end())
        throw Error{ErrorKind::internal, "a catalog query has no column \"" + std::string(column) + "\""};
    if (rows_.is_null(row_, at->second)) return std::nullopt;
    return rows_.at(row_, at->second);
}

} // namespace pgsluice::catalog
