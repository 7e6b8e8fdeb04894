#include "world.hpp"

namespace pgsluice::cli {

Clock real_clock() { return {std::chrono::system_clock::now, std::chrono::steady_clock::now}; }

} // namespace pgsluice::cli
