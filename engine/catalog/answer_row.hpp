// A row of an answer as kinds:: reads it.
#pragma once
#include <string_view>
#include <unordered_map>

#include "kinds/descriptor.hpp"
#include "pq/result.hpp"

namespace pgsluice::catalog {

class AnswerRow : public kinds::Row {
public:
    explicit AnswerRow(const pq::Rows& rows, bool is_target = false);
    // The view must not outlive the Rows.
    std::optional<std::string_view> get(std::string_view column) const override;
    void move_to(std::size_t row) { row_ = row; }

private:
    bool is_target() const override { return is_target_; }

    const pq::Rows& rows_;
    bool is_target_;
    std::unordered_map<std::string_view, std::size_t> index_;
    std::size_t row_ = 0;
};

} // namespace pgsluice::catalog
