// Which of a server's errors are about the object that it was asked for, and which about the server itself.
#pragma once
#include "base/error.hpp"

namespace pgsluice::run {

// Of an extra, whose failure is not the run's: the server says no, and is well otherwise.
bool refuses_the_object(const Error& error);

} // namespace pgsluice::run
