#include "kinds/decode.hpp"

#include <algorithm>
#include <tuple>

#include "pq/quote.hpp"

namespace pgsluice::kinds {

model::Object read_header(const Row& row, model::Kind kind, model::Oid class_oid) {
    model::Object object;
    object.kind = kind;
    object.id = model::CatalogId{class_oid, row.oid("oid")};
    object.schema = row.text("schema");
    object.name = row.text("name");
    return object;
}

void read_rights(const Row& row, model::Object& object) {
    object.owner = row.text("owner");
    object.acl = read_acl(row);
}

model::Acl read_acl(const Row& row, std::string_view acl, std::string_view acl_base) {
    model::Acl read;
    if (const auto base = row.get(acl_base)) read.base = parse_acl(*base);
    const auto current = row.get(acl);
    read.current = current ? parse_acl(*current) : read.base;
    return read;
}

std::span<const model::Object> objects_of(const model::Database& database, model::Kind kind,
                                          std::string_view schema, std::string_view table) {
    const auto wanted = std::tuple(kind, schema, table);
    const auto key = [](const model::Object& object) {
        return std::tuple(object.kind, std::string_view(object.schema), std::string_view(object.table));
    };
    const auto first =
        std::lower_bound(database.objects.begin(), database.objects.end(), wanted,
                         [&](const model::Object& object, const auto& at) { return key(object) < at; });
    const auto last =
        std::upper_bound(first, database.objects.end(), wanted,
                         [&](const auto& at, const model::Object& object) { return at < key(object); });
    return {first, last};
}

std::string qualified_address(const model::Object& object) {
    return pq::quote_qualified(object.schema, object.name);
}

} // namespace pgsluice::kinds
