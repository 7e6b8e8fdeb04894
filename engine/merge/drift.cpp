// Drift: where both sides have an object, the source's definition stands, and the target's is kept as SQL.
#include <algorithm>

#include "merge/canonical.hpp"
#include "merge/extras.hpp"
#include "pq/quote.hpp"

namespace pgsluice::merge {

namespace {

using model::Kind;
using model::Object;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string line = canonical(text.substr(at, end - at));
        if (line.ends_with(',')) line.pop_back();
        while (line.ends_with(' ')) line.pop_back();
        lines.push_back(std::move(line));
        at = end + 1;
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

// One line per column, label or check: what the planned one has all of has lost nothing.
bool has_all(const std::string& planned, const std::vector<std::string>& wanted) {
    const std::vector<std::string> all = lines_of(planned);
    return std::includes(all.begin(), all.end(), wanted.begin(), wanted.end());
}

// The target's lines, without those of elements that only it has: what becomes of each is told for each.
std::vector<std::string> lines_of_shared(const Object& theirs, const Object& ours, const std::string& text) {
    std::vector<std::string> lines = lines_of(text);
    for (const std::string& element : theirs.elements) {
        if (std::find(ours.elements.begin(), ours.elements.end(), element) != ours.elements.end()) continue;
        const std::string begin =
            theirs.kind == Kind::enum_type ? pq::quote_literal(element) : pq::quote_identifier(element) + " ";
        std::erase_if(lines, [&](const std::string& line) { return line.starts_with(begin); });
    }
    return lines;
}

// Labels are compared and attributes are read by their places; columns of tables are not.
bool in_same_order(const Object& theirs, const Object& ours) {
    if (theirs.kind == Kind::table) return true;
    const auto of_both = [](const Object& one, const Object& other) {
        std::vector<std::string> names = one.elements;
        std::erase_if(names, [&](const std::string& name) {
            return std::find(other.elements.begin(), other.elements.end(), name) == other.elements.end();
        });
        return names;
    };
    return of_both(theirs, ours) == of_both(ours, theirs);
}

// An index of a partition that one of the target's own has adopted, and will adopt again.
bool is_part_of_extra(const Object& theirs, const model::Database& target, const model::Database& planned) {
    for (const Object* whole : wholes(theirs, target))
        if (const Object* made = planned.find(model::natural_key(*whole)); made != nullptr && made->extra)
            return true;
    return false;
}

} // namespace

void keep_drift(const model::Database& target, const Options& options, const Definer& definition,
                const Definer& whole, Planned& planned) {
    for (const Object& theirs : target.objects) {
        // An extension is its name; default privileges are grants, which --acl decides.
        if (!takes_part(theirs) || theirs.kind == Kind::extension || theirs.kind == Kind::default_acl)
            continue;
        const Object* ours = planned.database.find(model::natural_key(theirs));
        if (ours == nullptr || ours->extra) continue;
        std::string text = definition(theirs, target);
        // As the last run brought it: the source has changed it since, and nobody here.
        const auto brought = options.recorded_definitions.find(model::natural_key(theirs));
        if (brought != options.recorded_definitions.end() && brought->second == definition_mark(text))
            continue;
        if (is_part_of_extra(theirs, target, planned.database)) text = without_attach(text);
        const std::string kept = definition(*ours, planned.database);
        if (same_definition(text, kept) || (has_elements(theirs) && in_same_order(theirs, *ours) &&
                                            has_all(kept, lines_of_shared(theirs, *ours, text))))
            continue;
        planned.pending.push_back({Pending::Why::drift, model::natural_key(theirs),
                                   model::display_name(theirs), "the source's definition differs and stands",
                                   whole(theirs, target)});
    }
}

} // namespace pgsluice::merge
