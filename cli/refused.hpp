// Options and commands that users of this program may know from its plans and that this release does not
// have.
#pragma once
#include <string>
#include <vector>

namespace pgsluice::cli {

// Throws Error{usage} with a sentence about the first such word.
void refuse_next_release(const std::vector<std::string>& words);

} // namespace pgsluice::cli
