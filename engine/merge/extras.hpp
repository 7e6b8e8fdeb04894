// What only the target has, and what becomes of it (rules.md section 1). The inside of plan_database(): first
// every such object and element gets a fate, then those that are carried go into the planned database.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "merge/parts.hpp"

namespace pgsluice::merge {

// `*` any text, `?` one character of it.
bool matches_pattern(std::string_view pattern, std::string_view text);

struct Fate {
    enum class State { carried, pending, dropped };
    State state = State::carried;
    Pending::Why why = Pending::Why::cannot;
    std::string reason;         // of a pending one
    bool name_is_taken = false; // by something else of the source's
};

// The column, attribute or label `second` of the target's object `first`.
using ElementId = std::pair<model::CatalogId, std::string>;

struct Fates {
    std::map<model::CatalogId, Fate> objects; // of the target, that the source lacks
    std::map<ElementId, Fate> elements;       // of shared objects
    std::set<ElementId> inherited;            // of these, columns that come with a parent's

    std::vector<std::string> unused_keeps; // patterns of --keep that name nothing of it

    bool carried(model::CatalogId object) const;
    bool carried(const ElementId& element) const;
};

struct Sides {
    const model::Database& source;
    const model::Database& target;
    const model::Database& planned; // indexed: the source's part of it
    const Options& options;

    // What the planned database has for an object of the target; null: an extra, or left out.
    const model::Object* shared(const model::Object& theirs) const;
};

// extras_choice.cpp: by record, migrations, patterns, taken names, and what no ALTER could add.
Fates choose(const Sides& sides, const Roles& roles);
// extras_needs.cpp: what needs something that will not be there is pending, and so is what needs that.
void settle_needs(const Sides& sides, Fates& fates);
// extras_adopt.cpp: into the planned database, and the rest to `planned.pending`.
void adopt(const model::Database& source, const model::Database& target, const Fates& fates,
           const Options& options, const Definer& whole, Roles& roles, Planned& planned);
// extras_heirs.cpp: what of it partitions and children of inheritance get.
void inherit_extras(model::Database& planned);
// drift.cpp: definitions of the target that the source's replaced.
void keep_drift(const model::Database& target, const Options& options, const Definer& definition,
                const Definer& whole, Planned& planned);

// "column a of table s.t", "label x of enum type s.mood"
std::string display_element(const model::Object& object, const std::string& element);

} // namespace pgsluice::merge
