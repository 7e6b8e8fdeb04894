# cmake -C cmake/configs/dev.cmake -B build/dev
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_GENERATOR Ninja CACHE STRING "")
set(PGSLUICE_DEVELOPER ON CACHE BOOL "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1" CACHE STRING "")
