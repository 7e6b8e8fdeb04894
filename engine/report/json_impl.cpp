// Boost.JSON, compiled once: header only, so that no further library is needed.
#include <boost/json/src.hpp>
