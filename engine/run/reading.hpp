// Both catalogs and what their comparison says, read without locking or changing anything: for plan and
// verify, and the first half of refresh.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "merge/merge.hpp"
#include "merge/row_plan.hpp"
#include "model/database.hpp"
#include "report/plan_report.hpp"
#include "run/context.hpp"
#include "run/creatable.hpp"
#include "run/journal.hpp"
#include "run/migrations.hpp"

namespace pgsluice::run {

struct Catalogs {
    model::Database source, target;
    std::set<std::string> settable_roles; // of the target, that our role may SET ROLE to
    NotCreatable not_creatable;           // of the source, by our role on the target
    merge::Planned planned;               // the source's schema with the target's owners and grants
    merge::Match match;
    Identities recorded; // what the last swapped run took from the source
    Drift drift;         // of the migration histories
    enum class Stage {
        whole,
        shared_part, // what only the target has comes later: --migrate and --no-swap
        own_part,    // the shared part is there: `source` is the new database itself
    };
    Stage stage = Stage::whole;
};

// What only the target has, by display names.
struct OnlyTarget {
    std::vector<std::string> extras;            // made on the target
    std::vector<std::string> dropped_on_source; // brought by the last swapped run, gone on the source since
};
OnlyTarget only_target(const Catalogs& catalogs);

// For Catalogs::settable_roles.
Task<std::set<std::string>> read_settable_roles(pq::Connection& target);
// Matches the two and plans; what the two sides said is in the argument already.
void compare_catalogs(const Context& context, Catalogs& catalogs);

// What --preserve and its like ask for.
merge::RowOptions row_options(const Context& context, const Catalogs& catalogs);

// Why this version cannot refresh this pair, each with what to do; empty when it can. Notes what is left out.
std::vector<report::Refusal> refusals(Context& context, const Catalogs& catalogs);
// Exit 1 where --drift=carry meets more than additions.
void refuse_carry(const Catalogs& catalogs);
// --drift=replay: tables with rows that are left to the service's migrations.
std::vector<std::string> staying_tables(const Catalogs& catalogs);
// What of the source is not made: on the target only a superuser could.
std::vector<report::Remarked> remarks_on_left_out(const Catalogs& catalogs);
// Tells what of the target is not carried since the source dropped it.
void note_dropped_on_source(Context& context, const Catalogs& catalogs);
// Throws the first of `refusals`, with the number of others.
void throw_first(const std::vector<report::Refusal>& refusals);

// Name of the object that a key stands for, as display_name() says it.
std::string display_key(const model::NaturalKey& key);

} // namespace pgsluice::run
