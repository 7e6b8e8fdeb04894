# Every find_package() of the project. Debian package names stand in cmake/install-packages.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)      # libboost1.81-dev: Asio, JSON (both header only here)
find_package(PostgreSQL REQUIRED)      # libpq-dev
find_package(zstd REQUIRED)            # libzstd-dev
find_package(fmt REQUIRED)             # libfmt-dev
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)  # libcli11-dev

# Asio compiled once, in engine/flow/asio_impl.cpp.
add_library(pgsluice_asio INTERFACE)
target_compile_definitions(pgsluice_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(pgsluice_asio INTERFACE Boost::headers Threads::Threads)

if(BUILD_TESTING OR NOT DEFINED BUILD_TESTING)
  find_package(Catch2 QUIET)           # catch2: version 2 in Debian 12
endif()
