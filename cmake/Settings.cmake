# Compiler settings for every target of the project, linked privately.
option(PGSLUICE_DEVELOPER "Warnings are errors" OFF)
option(PGSLUICE_ASAN "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(PGSLUICE_TSAN "ThreadSanitizer" OFF)
# Halves the compile time of a whole build; not with ccache, which such headers defeat. header_tests prove that no file
# relies on it.
option(PGSLUICE_PCH "Precompiled headers" OFF)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER AND NOT PGSLUICE_PCH)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(pgsluice_settings INTERFACE)
target_compile_options(pgsluice_settings INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-fcoroutines>
  $<$<BOOL:${PGSLUICE_ASAN}>:-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer>
  $<$<BOOL:${PGSLUICE_TSAN}>:-fsanitize=thread -fno-omit-frame-pointer>)
target_link_options(pgsluice_settings INTERFACE
  $<$<BOOL:${PGSLUICE_ASAN}>:-fsanitize=address,undefined>
  $<$<BOOL:${PGSLUICE_TSAN}>:-fsanitize=thread>)

add_library(pgsluice_warnings INTERFACE)
target_compile_options(pgsluice_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Woverloaded-virtual
  $<$<BOOL:${PGSLUICE_DEVELOPER}>:-Werror>
  # Designated initialisers that leave members at their defaults are a habit here, not a mistake.
  -Wno-missing-field-initializers
  # gcc 12 sees overlapping copies in std::string at -O2 where there are none.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-restrict>
  # gcc 12's TSan does not know atomic_thread_fence, which Asio uses.
  $<$<BOOL:${PGSLUICE_TSAN}>:-Wno-tsan>
  # gcc 12 sees a comparison of std::string that reads past the end where there is none.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>
  # The optimiser's uninitialised warning misfires on coroutine frames under sanitizers.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  # It inlines the new of Asio's coroutine frames, but not their delete, which is in asio_impl.cpp, and sees a mismatch.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)

set(pgsluice_heavy_headers
  <boost/asio/co_spawn.hpp> <boost/asio/experimental/awaitable_operators.hpp> <boost/asio/steady_timer.hpp>
  <boost/asio/use_awaitable.hpp> <fmt/format.h> <functional> <map> <memory> <optional> <string> <vector>)
