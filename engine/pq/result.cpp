#include "pq/result.hpp"

#include <charconv>

#include <libpq-fe.h>

#include "base/error.hpp"

namespace pgsluice::pq {

Rows::Rows(pg_result* owned) : result_(owned, PQclear) {}

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::size_t Rows::columns() const { return static_cast<std::size_t>(PQnfields(result_.get())); }

std::string_view Rows::column_name(std::size_t column) const {
    const char* name = PQfname(result_.get(), static_cast<int>(column));
    return name ? name : "";
}

int Rows::column_index(std::string_view name) const {
    for (std::size_t i = 0; i < columns(); ++i) // not PQfnumber: that folds case and reads quotes
        if (column_name(i) == name) return static_cast<int>(i);
    return -1;
}

bool Rows::is_null(std::size_t row, std::size_t column) const {
    return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::string_view Rows::at(std::size_t row, std::size_t column) const {
    if (row >= size() || column >= columns())
        throw Error{ErrorKind::internal, "an answer has fewer rows or columns than its reader expects"};
    const int r = static_cast<int>(row), c = static_cast<int>(column);
    return {PQgetvalue(result_.get(), r, c), static_cast<std::size_t>(PQgetlength(result_.get(), r, c))};
}

std::string_view Rows::at(std::size_t row, std::string_view column) const {
    const int index = column_index(column);
    if (index < 0) throw Error{ErrorKind::internal, "an answer has no column " + std::string(column)};
    return at(row, static_cast<std::size_t>(index));
}

std::optional<std::string_view> Rows::get(std::size_t row, std::string_view column) const {
    const std::string_view text = at(row, column);
    if (is_null(row, static_cast<std::size_t>(column_index(column)))) return std::nullopt;
    return text;
}

std::string Rows::command_tag() const { return result_ ? PQcmdStatus(result_.get()) : ""; }

std::uint64_t Rows::rows_affected() const {
    if (!result_) return 0;
    const std::string_view number = PQcmdTuples(result_.get());
    std::uint64_t rows = 0;
    std::from_chars(number.data(), number.data() + number.size(), rows);
    return rows;
}

} // namespace pgsluice::pq
