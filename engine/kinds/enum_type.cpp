#include <algorithm>

#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

constexpr auto from = "from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace"
                      " where t.typtype = 'e' and " +
                      user_schema + " and " + no_member("pg_catalog.pg_type", "t.oid") + " order by t.oid";

constexpr Column columns[] = {
    {"oid", "t.oid"},
    {"schema", "n.nspname"},
    {"name", "t.typname"},
    {"owner", "pg_catalog.pg_get_userbyid(t.typowner)"},
    {"acl", "t.typacl"},
    {"acl_base", "pg_catalog.acldefault('T', t.typowner)"},
    {"labels", "array(select l.enumlabel from pg_catalog.pg_enum l where l.enumtypid = t.oid order by "
               "l.enumsortorder)"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::enum_type, pg_type_class);
    read_rights(row, object);
    object.elements = row.texts("labels");
    into.add(std::move(object));
}

bool is_added(const model::Object& object, const std::string& label) {
    const std::vector<std::string>& added = object.extra_elements;
    return std::find(added.begin(), added.end(), label) != added.end();
}

// Each label goes beside its neighbour in the merged order: behind the one before it, else before the first
// of those that are there.
std::string add_labels(const model::Object& object, const std::string& name) {
    std::string ddl;
    const auto first = std::find_if(object.elements.begin(), object.elements.end(),
                                    [&](const std::string& label) { return !is_added(object, label); });
    for (std::size_t i = 0; i < object.elements.size(); ++i) {
        if (!is_added(object, object.elements[i])) continue;
        ddl += (ddl.empty() ? "" : "\n") + ("ALTER TYPE " + name + " ADD VALUE ") +
               pq::quote_literal(object.elements[i]);
        if (i > 0)
            ddl += " AFTER " + pq::quote_literal(object.elements[i - 1]);
        else if (first != object.elements.end())
            ddl += " BEFORE " + pq::quote_literal(*first);
        ddl += ";";
    }
    return ddl;
}

Ddl write(const model::Object& object, const Context& context) {
    Ddl ddl;
    const std::string name = qualified_address(object);
    ddl.create = "CREATE TYPE " + name + " AS ENUM (";
    std::string_view separator = "\n    ";
    for (const std::string& label : object.elements) {
        if (!context.whole && is_added(object, label)) continue;
        ddl.create.append(separator).append(pq::quote_literal(label));
        separator = ",\n    ";
    }
    ddl.create += "\n);";
    ddl.drop = "DROP TYPE " + name + ";";
    if (!context.whole) ddl.add_elements = add_labels(object, name);
    return ddl;
}

// At its place: behind the label that stands before it on the target, as far as that is shared.
std::vector<std::string> take_labels(model::Object& shared, const model::Object& theirs,
                                     const ElementsToTake& take) {
    std::vector<std::string>& labels = shared.elements;
    auto place = labels.begin();
    for (const std::string& label : theirs.elements) {
        const auto found = std::find(labels.begin(), labels.end(), label);
        if (found != labels.end()) {
            place = found + 1;
        } else if (take.names.contains(label)) {
            place = labels.insert(place, label) + 1;
            shared.extra_elements.push_back(label);
        }
    }
    return {};
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor enum_type_kind = {.kind = model::Kind::enum_type,
                                   .tag = "TYPE",
                                   .class_oid = pg_type_class,
                                   .has_owner = true,
                                   .has_acl = true,
                                   .acl_type = 'T',
                                   .queries = queries,
                                   .write = write,
                                   .address = qualified_address,
                                   .take_elements = take_labels};

} // namespace pgsluice::kinds
