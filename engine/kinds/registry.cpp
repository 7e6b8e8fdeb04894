#include "kinds/registry.hpp"

#include <array>

namespace pgsluice::kinds {

namespace {

using model::Kind;

struct Line {
    Kind kind;
    const Descriptor* descriptor;
};

constexpr std::array<Line, model::kind_count> lines = {{{Kind::schema, &schema_kind},
                                                        {Kind::extension, &extension_kind},
                                                        {Kind::collation, &collation_kind},
                                                        {Kind::enum_type, &enum_type_kind},
                                                        {Kind::domain, &domain_kind},
                                                        {Kind::composite_type, &composite_type_kind},
                                                        {Kind::range_type, &range_type_kind},
                                                        {Kind::function, &function_kind},
                                                        {Kind::procedure, &procedure_kind},
                                                        {Kind::aggregate, &aggregate_kind},
                                                        {Kind::sequence, &sequence_kind},
                                                        {Kind::table, &table_kind},
                                                        {Kind::view, &view_kind},
                                                        {Kind::materialized_view, &materialized_view_kind},
                                                        {Kind::column_default, &column_default_kind},
                                                        {Kind::check, &check_kind},
                                                        {Kind::constraint, &constraint_kind},
                                                        {Kind::index, &index_kind},
                                                        {Kind::statistics, &statistics_kind},
                                                        {Kind::rule, &rule_kind},
                                                        {Kind::trigger, &trigger_kind},
                                                        {Kind::foreign_key, &foreign_key_kind},
                                                        {Kind::policy, &policy_kind},
                                                        {Kind::default_acl, &default_acl_kind}}};

constexpr bool every_kind_has_its_line() {
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (lines[i].kind != static_cast<Kind>(i)) return false;
    return true;
}
static_assert(every_kind_has_its_line(), "one line per kind, in the order of model::Kind");

constexpr auto descriptors = [] {
    std::array<const Descriptor*, model::kind_count> all{};
    for (std::size_t i = 0; i < lines.size(); ++i) all[i] = lines[i].descriptor;
    return all;
}();

} // namespace

std::span<const Descriptor* const> all() { return descriptors; }

const Descriptor& descriptor(model::Kind kind) { return *descriptors[static_cast<std::size_t>(kind)]; }

std::string definition(const model::Object& object, const model::Database& database, int target_version) {
    const Shape shape;
    const Context context{.database = database,
                          .shape = shape,
                          .target_version = target_version,
                          .whole = true,
                          .compared = true};
    const Ddl ddl = descriptor(object.kind).write(object, context);
    std::string text;
    for (const std::string* part : {&ddl.create, &ddl.attach, &ddl.owned_by, &ddl.build_index,
                                    &ddl.after_rows, &ddl.validate, &ddl.refresh}) {
        if (part->empty()) continue;
        if (!text.empty()) text += "\n";
        text += *part;
    }
    return text;
}

} // namespace pgsluice::kinds
