#include "run/reading.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "kinds/descriptor.hpp"
#include "run/guard.hpp"

namespace pgsluice::run {

namespace {

constexpr std::size_t names_in_error_max = 20;

std::string some_names(const std::vector<std::string>& names) {
    const std::size_t shown = std::min(names.size(), names_in_error_max);
    std::string text = join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ");
    if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
    return text;
}

bool wanted_wire(const Context& context, const model::Unsupported& object) {
    const auto& kinds = context.options.with_kinds;
    return std::any_of(kinds.begin(), kinds.end(),
                       [&](const std::string& kind) { return kind == "all" || kind == object.kind; });
}

// "column b of table public.t", "label ok of enum type public.mood"
std::string display_element(const merge::Match::Element& element) {
    const char* what = "column ";
    if (element.kind == model::Kind::enum_type) what = "label ";
    if (element.kind == model::Kind::composite_type) what = "attribute ";
    return one_line(what + element.name + " of " + std::string(model::kind_name(element.kind)) + " " +
                    element.schema + "." + element.relation);
}

std::string why_left_out(const model::Unsupported& object) {
    if (object.kind.starts_with("changed grants"))
        return "of the source is left out: the target's extension has its own; grant by hand what is missing";
    if (object.kind == "invalid index")
        return "of the source is left out: its building has failed there; REINDEX or DROP it";
    return "of the source is left out: no wires into prod's world";
}

// Never skipped in silence: a stop on the source's side; on the target's too, unless what only the target has
// may go.
void add_unsupported(Context& context, const model::Database& database, bool is_source,
                     std::vector<report::Refusal>& out) {
    std::vector<std::string> stop;
    for (const model::Unsupported& object : database.unsupported) {
        const std::string name = object.kind + " " + one_line(object.name);
        if (object.wire && !is_source) {
            context.remark(name, "of the target is not carried: this version cannot make it",
                           "it stays in the previous database until the next run: make it again by hand");
        } else if (object.wire && !wanted_wire(context, object)) {
            context.note(name, why_left_out(object));
        } else if (is_source || context.options.extras == ExtrasChoice::fail) {
            stop.push_back(name);
        } else if (context.options.extras == ExtrasChoice::drop) {
            context.remark(name, "only the target has it: not carried, as --extras=drop says",
                           "it stays in the previous database until the next run");
        } // else it is pending: merge::plan_database
    }
    if (stop.empty()) return;
    report::Refusal refusal;
    refusal.text = fmt::format("the {} has {} objects that this version cannot carry",
                               is_source ? "source" : "target", stop.size());
    refusal.object = join(stop, ", "); // all: each of them has to be dealt with
    refusal.hint = is_source ? "drop them from the source, or wait for the version that carries them"
                             : "drop them, or run without --extras=fail (they stay in the previous database)";
    out.push_back(std::move(refusal));
}

void add_extras(Context& context, const Catalogs& catalogs, std::vector<report::Refusal>& out) {
    const std::vector<std::string> names = only_target(catalogs).extras;
    if (names.empty()) return;
    if (context.options.extras != ExtrasChoice::fail) {
        if (catalogs.recorded.recorded_at.empty())
            context.remark("pgsluice.identity",
                           "no earlier run is recorded: what the source dropped since cannot be told apart "
                           "from what was made on the target");
        if (context.options.extras == ExtrasChoice::keep) return;
        for (const std::string& name : names)
            context.remark(name, "only the target has it: not carried, as --extras=drop says",
                           "it stays in the previous database until the next run");
        return;
    }
    report::Refusal refusal;
    refusal.text = fmt::format("the target has {} objects that the source lacks", names.size());
    refusal.object = some_names(names);
    refusal.hint =
        "--extras=keep carries them, --extras=drop leaves them in the previous database; pgsluice plan "
        "lists all";
    out.push_back(std::move(refusal));
}

} // namespace

namespace {

bool is_carried(const model::Database& planned, const merge::Match::Element& element) {
    const model::Object* object = planned.find({element.kind, element.schema, "", element.relation, ""});
    if (object == nullptr) return false;
    const std::vector<std::string>& names = object->extra_elements;
    return std::find(names.begin(), names.end(), element.name) != names.end();
}

} // namespace

OnlyTarget only_target(const Catalogs& catalogs) {
    OnlyTarget only;
    for (const model::NaturalKey& key : catalogs.match.only_target) {
        const bool brought =
            catalogs.recorded.objects.contains(key) && catalogs.planned.database.find(key) == nullptr;
        (brought ? only.dropped_on_source : only.extras).push_back(display_key(key));
    }
    for (const merge::Match::Element& element : catalogs.match.elements_only_target) {
        const bool brought =
            catalogs.recorded.elements.contains({element.schema, element.relation, element.name}) &&
            !is_carried(catalogs.planned.database, element);
        (brought ? only.dropped_on_source : only.extras).push_back(display_element(element));
    }
    return only;
}

void note_dropped_on_source(Context& context, const Catalogs& catalogs) {
    for (const std::string& name : only_target(catalogs).dropped_on_source)
        context.note(name, "dropped on the source since " + one_line(catalogs.recorded.recorded_at) +
                               ": not carried");
}

std::string display_key(const model::NaturalKey& key) {
    model::Object object;
    object.kind = key.kind;
    object.schema = key.schema;
    object.table = key.table;
    object.name = key.name;
    object.arguments = key.arguments;
    return model::display_name(object);
}

namespace {

merge::Options merge_options(const Context& context, const Catalogs& catalogs) {
    merge::Options options;
    switch (context.options.acl) {
    case AclSource::target: options.acl = merge::AclChoice::target; break;
    case AclSource::source: options.acl = merge::AclChoice::source; break;
    case AclSource::both: options.acl = merge::AclChoice::both; break;
    }
    // The new database's objects have their owners by names of the target's server.
    if (catalogs.stage != Catalogs::Stage::own_part) options.role_map = context.options.map_roles;
    options.connecting_role = context.target.user();
    options.can_set_role = catalogs.settable_roles;
    options.carry_extras = context.options.extras == ExtrasChoice::keep;
    if (catalogs.stage == Catalogs::Stage::shared_part) options.carry_extras = false;
    options.extras_are_migrations = catalogs.drift.decision.extras_are_migrations();
    options.keep = context.options.keep;
    options.recorded_at = catalogs.recorded.recorded_at;
    options.recorded_objects = catalogs.recorded.objects;
    // Carried are additions, whoever made the other differences.
    if (catalogs.drift.decision.action != merge::DriftAction::carry)
        options.recorded_definitions = catalogs.recorded.definitions;
    for (const auto& [key, why] : left_out(catalogs.not_creatable, catalogs.source))
        options.left_out.insert(key);
    for (const Identities::Element& element : catalogs.recorded.elements)
        options.recorded_elements.insert({element.schema, element.relation, element.name});
    options.recorded_comments = catalogs.recorded.comments;
    for (const auto& [element, mark] : catalogs.recorded.column_comments)
        options.recorded_column_comments.insert({{element.schema, element.relation, element.name}, mark});
    return options;
}

} // namespace

Task<std::set<std::string>> read_settable_roles(pq::Connection& target) {
    const std::string sql =
        "select rolname from pg_catalog.pg_roles where pg_catalog.pg_has_role(oid, 'MEMBER')";
    const pq::Rows rows = co_await target.rows(sql);
    std::set<std::string> roles;
    for (std::size_t i = 0; i < rows.size(); ++i) roles.emplace(rows.at(i, std::size_t{0}));
    co_return roles;
}

namespace {

// A default ACL is named by its role, which may have another name on the target: plan_database() knows.
void match_default_acls(const Context& context, Catalogs& catalogs) {
    const auto of_defaults = [](const model::NaturalKey& key) {
        return key.kind == model::Kind::default_acl;
    };
    std::erase_if(catalogs.match.only_target, [&](const model::NaturalKey& key) {
        return of_defaults(key) && catalogs.planned.database.find(key) != nullptr;
    });
    std::erase_if(catalogs.match.only_source, [&](model::NaturalKey key) {
        if (!of_defaults(key)) return false;
        const auto mapped = context.options.map_roles.find(key.name);
        if (mapped != context.options.map_roles.end())
            key.name = mapped->second;
        else if (key.name == catalogs.source.properties.owner)
            key.name = catalogs.target.properties.owner;
        return catalogs.target.find(key) != nullptr;
    });
}

} // namespace

void compare_catalogs(const Context& context, Catalogs& catalogs) {
    catalogs.match = merge::match(catalogs.source, catalogs.target);
    catalogs.planned =
        merge::plan_database(catalogs.source, catalogs.target, merge_options(context, catalogs));
    match_default_acls(context, catalogs);
}

merge::RowOptions row_options(const Context& context, const Catalogs& catalogs) {
    merge::RowOptions options;
    options.preserve = context.options.preserve;
    options.references = context.options.references;
    options.keep_deleted = context.options.keep_deleted;
    options.source_is_right = context.options.source_is_right;
    for (const std::vector<merge::History>* side : {&catalogs.drift.source, &catalogs.drift.target})
        for (const merge::History& history : *side)
            options.histories.push_back({history.table.schema, history.table.name});
    return options;
}

std::vector<report::Refusal> refusals(Context& context, const Catalogs& catalogs) {
    std::vector<report::Refusal> found;
    try {
        const bool told_apart = !catalogs.recorded.recorded_at.empty();
        guard_source_size(context, catalogs.source, catalogs.target,
                          told_apart ? &catalogs.planned.database : nullptr);
    } catch (const Error& error) {
        report::Refusal refusal;
        refusal.object = error.object();
        refusal.text = error.message();
        refusal.hint = error.hint();
        found.push_back(std::move(refusal));
    }
    add_unsupported(context, catalogs.source, true, found);
    add_unsupported(context, catalogs.target, false, found);
    add_extras(context, catalogs, found);
    for (report::Refusal& refusal : needed_but_not_creatable(catalogs.not_creatable, catalogs.source))
        found.push_back(std::move(refusal));
    return found;
}

void refuse_carry(const Catalogs& catalogs) {
    if (catalogs.drift.decision.action != merge::DriftAction::carry) return;
    std::vector<std::string> more;
    for (const model::NaturalKey& key : catalogs.match.only_source) more.push_back(display_key(key));
    for (const merge::Match::Element& element : catalogs.match.elements_only_source)
        more.push_back(display_element(element));
    for (const merge::Pending& item : catalogs.planned.pending) more.push_back(item.name);
    if (more.empty()) return;
    throw Error{
        ErrorKind::refused,
        "--drift=carry needs a target that has all that the source has and more: these differ otherwise"}
        .object(some_names(more))
        .hint(
            "--drift=replay leaves the target's migrations to the service's next restart; --migrate CMD runs "
            "them on the source's rows");
}

std::vector<report::Remarked> remarks_on_left_out(const Catalogs& catalogs) {
    std::vector<report::Remarked> remarks;
    for (const auto& [key, why] : left_out(catalogs.not_creatable, catalogs.source)) {
        const model::Object& object = *catalogs.source.find(key);
        remarks.push_back({model::display_name(object), "left out: " + why,
                           "run the SQL as a superuser after the swap",
                           kinds::whole_ddl(object, catalogs.source, catalogs.target.server_version)});
    }
    return remarks;
}

std::vector<std::string> staying_tables(const Catalogs& catalogs) {
    std::vector<std::string> names;
    for (const merge::Pending& item : catalogs.planned.pending) {
        if (item.why != merge::Pending::Why::migration || item.key.kind != model::Kind::table ||
            !item.key.table.empty()) // a column of it
            continue;
        for (const model::TableRows& table : catalogs.target.rows)
            if (table.schema == item.key.schema && table.name == item.key.name && table.rows != 0 &&
                table.bytes > 0)
                names.push_back(one_line(table.schema + "." + table.name));
    }
    return names;
}

void throw_first(const std::vector<report::Refusal>& refusals) {
    if (refusals.empty()) return;
    const report::Refusal& first = refusals.front();
    Error error{ErrorKind::refused, first.text};
    error.object(first.object).hint(first.hint);
    if (refusals.size() > 1)
        error.detail(fmt::format("and {} more reasons: pgsluice plan lists them", refusals.size() - 1));
    throw error;
}

} // namespace pgsluice::run
