// The rows of one answer, all in memory. Value type, cheap to move. Views live as long as the Rows.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_result;

namespace pgsluice::pq {

class Rows {
public:
    Rows() = default;
    explicit Rows(pg_result* owned);
    explicit Rows(std::shared_ptr<pg_result> shared) : result_(std::move(shared)) {}

    std::size_t size() const;
    bool empty() const { return size() == 0; }
    std::size_t columns() const;
    std::string_view column_name(std::size_t column) const;
    // -1: no such column.
    int column_index(std::string_view name) const;
    bool is_null(std::size_t row, std::size_t column) const;
    std::string_view at(std::size_t row, std::size_t column) const; // NULL reads as ""
    std::string_view at(std::size_t row,
                        std::string_view column) const; // throws Error{internal}: no such column
    std::optional<std::string_view> get(std::size_t row, std::string_view column) const;
    std::string command_tag() const;     // "COPY 12"
    std::uint64_t rows_affected() const; // the number in the tag

private:
    std::shared_ptr<pg_result> result_;
};

} // namespace pgsluice::pq
