// The whole program but for the process around it.
#pragma once
#include <string>
#include <vector>

namespace pgsluice::cli {

struct Api;
struct World;

// `words` without the program's name. Returns the exit code (rules.md section 12); throws nothing.
int run_program(const std::vector<std::string>& words, const Api& api, World& world);

} // namespace pgsluice::cli
