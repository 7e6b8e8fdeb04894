// A run from its first step to its report, whatever happens on the way: refresh and swap.
#pragma once
#include <string>

#include "model/object.hpp"
#include "report/report.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

// What a run has made so far, for cleaning up after a failure.
struct Made {
    std::string database;
    model::Oid oid = 0;
    bool journal = false;
};

// Performs the steps. When they fail, the database that was made goes, the journal says why, and the failure
// is thrown again, as Error{stopped} where somebody asked us to stop.
Task<report::RefreshReport> tell_story(Context& context, Made& made, Task<void> steps);

} // namespace pgsluice::run
