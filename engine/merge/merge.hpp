// Two catalogs -> what is shared, what only one side has, what differs; and from them the planned database:
// the source's schema with the target's owners and grants (rules.md sections 1 and 6). Pure.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/database.hpp"

namespace pgsluice::merge {

enum class AclChoice { target, source, both };

// A column of a table, an attribute of a composite type, a label of an enum.
struct ElementKey {
    std::string schema, relation, name;
    auto operator<=>(const ElementKey&) const = default;
};

struct Options {
    AclChoice acl = AclChoice::target;
    std::set<model::NaturalKey> left_out; // of the source: cannot be made on the target
    // What only the target has comes along (rules.md section 1). False: --extras=drop.
    bool carry_extras = true;
    // --keep: carried whatever the record and the migrations say. Patterns with * and ? against
    // "schema.name", "schema.table.name" or, for all that hangs on a table, "schema.table"; the schema may be
    // left out.
    std::vector<std::string> keep;
    // --drift=replay: what only the target has comes from migrations that the service will run again.
    bool extras_are_migrations = false;
    // What the last swapped run took from the source: gone there since, it is no extra.
    std::string recorded_at; // empty: no record
    std::set<model::NaturalKey> recorded_objects;
    std::set<ElementKey> recorded_elements;
    std::map<model::NaturalKey, std::string> recorded_definitions; // definition_mark() of each, where known
    std::map<model::NaturalKey, std::string> recorded_comments;    // definition_mark() of each
    std::map<ElementKey, std::string> recorded_column_comments;    // the same
    std::map<std::string, std::string> role_map;                   // --map-role FROM=TO
    std::string connecting_role;                                   // on the target
    bool wires = false;                                            // --with
    // Roles that the connecting role may SET ROLE to; not set: nobody asked. What another role granted is
    // granted again by the owner.
    std::optional<std::set<std::string>> can_set_role;
};

struct Drift {
    model::NaturalKey key;
    std::string name; // display name
    std::string source_definition, target_definition;
};

struct Match {
    std::vector<model::NaturalKey> shared, only_source, only_target;
    std::vector<Drift> drift;
    // A column of a shared table, an attribute of a shared composite type, a label of a shared enum.
    struct Element {
        model::Kind kind; // of what it belongs to
        std::string schema, relation, name;
    };
    std::vector<Element> elements_only_source, elements_only_target;
};
// Whether its elements are matched one by one. (A view's columns are its definition.)
bool has_elements(const model::Object& object);
// How an object reads as text: kinds::definition in the product, plain text in tests.
using Definer = std::function<std::string(const model::Object& object, const model::Database& database)>;

// Objects of schema pgsluice and extension members take no part.
Match match(const model::Database& source, const model::Database& target, const Definer& definition);
Match match(const model::Database& source, const model::Database& target);

// What of the target cannot come along. Kept with its SQL in pgsluice.pending.
struct Pending {
    enum class Why {
        cannot,    // needs what is not there: tried again by each later run
        drift,     // the target's definition of a shared object: the source's stands
        migration, // replay: the service's next restart makes it again
    };
    Why why = Why::cannot;
    // Of a column, attribute or label: kind and schema of what has it, its name in `table`, the element in
    // `name`. Of what no kind can carry: Kind::count_.
    model::NaturalKey key;
    std::string name;   // display name
    std::string reason; // one line
    std::string sql;    // its whole DDL
};

// The reason of an element that could only be added behind the backs of rows that are copied without it:
// tried again by the first run in which no row holds a value of the type.
constexpr const char* type_in_use = " is the type of a column, whose rows come without it";

struct Planned {
    model::Database database;         // what the new database will hold, extras marked
    std::vector<Pending> pending;     // known before anything is created
    std::vector<std::string> remarks; // "column x of table t: NOT NULL without default becomes nullable"
    std::vector<std::string> notes; // "role reporting does not exist on the target: its grants are left out"
};
Planned plan_database(const model::Database& source, const model::Database& target, const Options& options);
// `definition` tells drift, `whole` is what pgsluice.pending keeps.
Planned plan_database(const model::Database& source, const model::Database& target, const Options& options,
                      const Definer& definition, const Definer& whole);

// What a fresh reading of the new database has that the planned one lacks, and the reverse: rules.md
// section 9.
struct Difference {
    std::string object; // display name
    // "missing", "unexpected", "definition", "owner", "grants", "comment"; "part": of an index or key of a
    // partitioned table, made by the server as it has to be
    std::string what;
    std::string planned, found;
};
std::vector<Difference> compare(const model::Database& planned, const model::Database& found);
std::vector<Difference> compare(const model::Database& planned, const model::Database& found,
                                const Definer& definition);

} // namespace pgsluice::merge
