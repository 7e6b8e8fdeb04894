// A row as a test writes it down; a column that is not named is NULL.
#pragma once
#include <map>
#include <string>
#include <utility>

#include "kinds/descriptor.hpp"

namespace pgsluice::tests {

class FakeRow : public kinds::Row {
public:
    explicit FakeRow(std::map<std::string, std::string> values) : values_(std::move(values)) {}

    std::optional<std::string_view> get(std::string_view column) const override {
        const auto at = values_.find(std::string(column));
        if (at == values_.end()) return std::nullopt;
        return at->second;
    }

    FakeRow with(const std::string& column, const std::string& value) const {
        FakeRow changed = *this;
        changed.values_[column] = value;
        return changed;
    }

private:
    std::map<std::string, std::string> values_;
};

// A database in the making: rows go through a kind's own decode functions.
struct Decoded {
    model::Database database;
    kinds::Reading reading{database};
    kinds::Shape shape;
    int target_version = 150000;

    void row(const kinds::Descriptor& kind, const FakeRow& values, std::size_t query = 0) {
        kind.queries[query].decode(values, reading);
    }
    const model::Object& object(const kinds::Descriptor& kind) {
        database.index();
        for (const model::Object& object : database.objects)
            if (object.kind == kind.kind) return object;
        throw std::runtime_error("no object of this kind");
    }
    kinds::Ddl ddl(const kinds::Descriptor& kind) {
        const model::Object& made = object(kind);
        const kinds::Context context{.database = database, .shape = shape, .target_version = target_version};
        return kind.write(made, context);
    }
};

} // namespace pgsluice::tests
