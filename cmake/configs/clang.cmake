# cmake -C cmake/configs/clang.cmake -B build/clang: does the second compiler agree, and what clang-tidy reads
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_GENERATOR Ninja CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++-14 CACHE STRING "")
set(PGSLUICE_DEVELOPER ON CACHE BOOL "")
set(CMAKE_CXX_FLAGS_DEBUG "-O0" CACHE STRING "")
