// The merge after a migration (rules.md section 2): the shared part is in the new database already, and may
// have been brought up to another release since. Extras and preserved rows are merged against its catalog as
// it is now. After
// --migrate CMD and in the command swap alike.
#pragma once
#include <string>
#include <vector>

#include "run/ending.hpp"
#include "run/fingerprint.hpp"
#include "run/merge_target.hpp"
#include "run/reading.hpp"

namespace pgsluice::run {

struct MigratedInput {
    std::string fingerprint; // of the target's schema when the new database was begun
    std::string histories;   // mark of its migration histories then
    Identities built;        // what was there before anybody migrated it
    bool migrated = true;    // false: nobody has changed the new database's schema since it was built
};

// Both catalogs as they are now; the new database's is the source. Throws Error{refused} where the target is
// not what it was, or its drift says no. Changes nothing.
Task<Catalogs> read_migrated(Context& context, MergeTarget& own, RunSessions& sessions, MigratedInput input);
// What only the target has goes into the new database, which is compared with what was planned. Returns what
// could not be made.
Task<Loaded> merge_migrated(Context& context, MergeTarget& own, RunSessions& sessions,
                            const Catalogs& catalogs);

} // namespace pgsluice::run
