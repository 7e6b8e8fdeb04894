#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

#include "base/text.hpp"

namespace pgsluice::kinds {

namespace {

// Functions and types come qualified and quoted from the server; an empty text is an option not given.
struct AggregateBody : model::Body {
    std::string identity, arguments;
    int argument_count = 0;
    char aggkind = 'n'; // n normal, o ordered-set, h hypothetical-set
    std::string transition, state_type, state_size, final_function, combine, serialize, deserialize;
    std::optional<std::string> initial, moving_initial;
    std::string moving_transition, moving_inverse, moving_state_type, moving_state_size, moving_final;
    bool final_extra = false, moving_final_extra = false;
    char final_modify = 'r', moving_final_modify = 'r', parallel = 'u';
    std::string sort_operator_schema, sort_operator;
};

constexpr auto from = "from pg_catalog.pg_aggregate a join pg_catalog.pg_proc p on p.oid = a.aggfnoid"
                      " join pg_catalog.pg_namespace n on n.oid = p.pronamespace"
                      " left join pg_catalog.pg_operator o on o.oid = a.aggsortop"
                      " left join pg_catalog.pg_namespace opn on opn.oid = o.oprnamespace where " +
                      user_schema + " and " + no_member("pg_catalog.pg_proc", "p.oid") + " order by p.oid";

constexpr Column columns[] = {
    {"oid", "p.oid"},
    {"schema", "n.nspname"},
    {"name", "p.proname"},
    {"owner", "pg_catalog.pg_get_userbyid(p.proowner)"},
    {"acl", "p.proacl"},
    {"acl_base", "pg_catalog.acldefault('f', p.proowner)"},
    {"input_types", "array(select pg_catalog.format_type(t.oid, null) from pg_catalog.unnest(p.proargtypes)"
                    " with ordinality t(oid, place) order by t.place)"},
    {"identity", "pg_catalog.pg_get_function_identity_arguments(p.oid)"},
    {"arguments", "pg_catalog.pg_get_function_arguments(p.oid)"},
    {"argument_count", "p.pronargs"},
    {"aggkind", "a.aggkind"},
    {"transition", "a.aggtransfn"},
    {"state_type", "pg_catalog.format_type(a.aggtranstype, null)"},
    {"state_size", "case when a.aggtransspace <> 0 then a.aggtransspace end"},
    {"final_function", "case when a.aggfinalfn <> 0 then a.aggfinalfn end"},
    {"combine", "case when a.aggcombinefn <> 0 then a.aggcombinefn end"},
    {"serialize", "case when a.aggserialfn <> 0 then a.aggserialfn end"},
    {"deserialize", "case when a.aggdeserialfn <> 0 then a.aggdeserialfn end"},
    {"initial", "a.agginitval"},
    {"moving_transition", "case when a.aggmtransfn <> 0 then a.aggmtransfn end"},
    {"moving_inverse", "case when a.aggminvtransfn <> 0 then a.aggminvtransfn end"},
    {"moving_state_type",
     "case when a.aggmtransfn <> 0 then pg_catalog.format_type(a.aggmtranstype, null) end"},
    {"moving_state_size", "case when a.aggmtransspace <> 0 then a.aggmtransspace end"},
    {"moving_final", "case when a.aggmfinalfn <> 0 then a.aggmfinalfn end"},
    {"moving_initial", "a.aggminitval"},
    {"final_extra", "a.aggfinalextra"},
    {"moving_final_extra", "a.aggmfinalextra"},
    {"final_modify", "a.aggfinalmodify"},
    {"moving_final_modify", "a.aggmfinalmodify"},
    {"parallel", "p.proparallel"},
    {"sort_operator_schema", "opn.nspname"},
    {"sort_operator", "o.oprname"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::aggregate, pg_proc_class);
    read_rights(row, object);
    object.arguments = join(row.texts("input_types"), ", ");
    auto body = std::make_shared<AggregateBody>();
    body->identity = row.text("identity");
    body->arguments = row.text("arguments");
    body->argument_count = static_cast<int>(row.number("argument_count"));
    body->aggkind = row.letter("aggkind");
    body->transition = row.text("transition");
    body->state_type = row.text("state_type");
    body->state_size = row.text("state_size");
    body->final_function = row.text("final_function");
    body->combine = row.text("combine");
    body->serialize = row.text("serialize");
    body->deserialize = row.text("deserialize");
    body->initial = row.optional_text("initial");
    body->moving_initial = row.optional_text("moving_initial");
    body->moving_transition = row.text("moving_transition");
    body->moving_inverse = row.text("moving_inverse");
    body->moving_state_type = row.text("moving_state_type");
    body->moving_state_size = row.text("moving_state_size");
    body->moving_final = row.text("moving_final");
    body->final_extra = row.boolean("final_extra");
    body->moving_final_extra = row.boolean("moving_final_extra");
    body->final_modify = row.letter("final_modify");
    body->moving_final_modify = row.letter("moving_final_modify");
    body->parallel = row.letter("parallel");
    body->sort_operator_schema = row.text("sort_operator_schema");
    body->sort_operator = row.text("sort_operator");
    if (body->state_type == "internal" || body->moving_state_type == "internal")
        object.details["superuser"] = "state type internal";
    object.body = std::move(body);
    into.add(std::move(object));
}

class Options {
public:
    void flag(std::string_view name) { text_.append(text_.empty() ? "" : ",").append("\n    ").append(name); }
    void option(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        flag(name);
        text_.append(" = ").append(value);
    }
    void literal(std::string_view name, const std::optional<std::string>& value) {
        if (value) option(name, pq::quote_literal(*value));
    }
    // The final function of ordered-set aggregates modifies its state unless it says otherwise, others do
    // not.
    void modify(std::string_view name, char letter, bool is_ordered_set) {
        if (letter == (is_ordered_set ? 'w' : 'r')) return;
        option(name, letter == 'r' ? "READ_ONLY" : letter == 's' ? "SHAREABLE" : "READ_WRITE");
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

std::string options(const AggregateBody& body) {
    Options all;
    const bool is_ordered_set = body.aggkind != 'n';
    all.option("SFUNC", body.transition);
    all.option("STYPE", body.state_type);
    all.option("SSPACE", body.state_size);
    all.literal("INITCOND", body.initial);
    if (!body.final_function.empty()) {
        all.option("FINALFUNC", body.final_function);
        if (body.final_extra) all.flag("FINALFUNC_EXTRA");
        all.modify("FINALFUNC_MODIFY", body.final_modify, is_ordered_set);
    }
    all.option("COMBINEFUNC", body.combine);
    all.option("SERIALFUNC", body.serialize);
    all.option("DESERIALFUNC", body.deserialize);
    if (!body.moving_transition.empty()) {
        all.option("MSFUNC", body.moving_transition);
        all.option("MINVFUNC", body.moving_inverse);
        all.option("MSTYPE", body.moving_state_type);
        all.option("MSSPACE", body.moving_state_size);
        all.literal("MINITCOND", body.moving_initial);
        if (!body.moving_final.empty()) {
            all.option("MFINALFUNC", body.moving_final);
            if (body.moving_final_extra) all.flag("MFINALFUNC_EXTRA");
            all.modify("MFINALFUNC_MODIFY", body.moving_final_modify, is_ordered_set);
        }
    }
    // Operators have no quoted form: the server allows only operator characters in their names.
    if (!body.sort_operator.empty())
        all.option("SORTOP", "OPERATOR(" + pq::quote_identifier(body.sort_operator_schema) + "." +
                                 body.sort_operator + ")");
    if (body.aggkind == 'h') all.flag("HYPOTHETICAL");
    if (body.parallel == 's') all.option("PARALLEL", "safe");
    if (body.parallel == 'r') all.option("PARALLEL", "restricted");
    return all.text();
}

std::string with_arguments(const model::Object& object, const std::string& arguments) {
    const bool takes_none = body_of<AggregateBody>(object).argument_count == 0;
    return qualified_address(object) + "(" + (takes_none ? std::string("*") : arguments) + ")";
}

std::string address(const model::Object& object) {
    return with_arguments(object, body_of<AggregateBody>(object).identity);
}

Ddl write(const model::Object& object, const Context&) {
    const auto& body = body_of<AggregateBody>(object);
    Ddl ddl;
    ddl.create = "CREATE AGGREGATE " + with_arguments(object, body.arguments) + " (" + options(body) + "\n);";
    ddl.drop = "DROP AGGREGATE " + address(object) + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor aggregate_kind = {.kind = model::Kind::aggregate,
                                   .tag = "AGGREGATE",
                                   .class_oid = pg_proc_class,
                                   .has_owner = true,
                                   .has_acl = true,
                                   .acl_type = 'f',
                                   .queries = queries,
                                   .write = write,
                                   .address = address};

} // namespace pgsluice::kinds
