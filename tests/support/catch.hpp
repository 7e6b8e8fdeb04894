// Catch2 v2 in Debian 12, v3 elsewhere: the one place that knows.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
