// Two tasks on the caller's executor; the first failure cancels the other and is the one rethrown
// (awaitable_operators would rethrow "multiple exceptions"). Returns when both have ended, so nothing they
// refer to can be gone too early.
#pragma once
#include "flow/task.hpp"

namespace pgsluice::flow {

Task<void> join(Task<void> first, Task<void> second);

} // namespace pgsluice::flow
