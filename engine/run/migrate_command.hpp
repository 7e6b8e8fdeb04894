// --migrate CMD (rules.md section 2): the service's own tool brings the new database up to the target's
// release.
#pragma once
#include <string>

#include "run/context.hpp"

namespace pgsluice::run {

// Whether the command can be run, before anything is written. Throws Error{usage} or Error{refused}.
void check_migrate_command(const Context& context);

// Runs it against `database` of the target's server: PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSFILE and
// PGSSL* say where; the password is in a file that only we can read and that goes when the command has ended.
// Its output becomes steps of the run; its time goes to report.merge.migrated. Throws Error{refused} with its
// last lines when it fails.
Task<void> migrate(Context& context, std::string database);

} // namespace pgsluice::run
