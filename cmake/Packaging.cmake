# cmake --install: the program, the static library, the public headers and a package config, so that
# find_package(pgsluice) gives pgsluice::engine. cpack makes a Debian package of the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(PGSLUICE_HEADERS_TO ${CMAKE_INSTALL_INCLUDEDIR}/pgsluice)
set(PGSLUICE_CONFIG_TO ${CMAKE_INSTALL_LIBDIR}/cmake/pgsluice)

install(TARGETS pgsluice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
set_target_properties(pgsluice_asio PROPERTIES EXPORT_NAME asio)
install(TARGETS pgsluice_engine pgsluice_asio EXPORT pgsluice
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(EXPORT pgsluice NAMESPACE pgsluice:: FILE pgsluiceTargets.cmake
  DESTINATION ${PGSLUICE_CONFIG_TO} COMPONENT library)

# The public headers: what a program sees of a run, and what those headers include.
foreach(room api report base)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/engine/${room} DESTINATION ${PGSLUICE_HEADERS_TO}
    COMPONENT library FILES_MATCHING PATTERN "*.hpp")
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/engine/flow/task.hpp DESTINATION ${PGSLUICE_HEADERS_TO}/flow COMPONENT library)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/pgsluiceConfig.cmake.in
  ${PROJECT_BINARY_DIR}/pgsluiceConfig.cmake INSTALL_DESTINATION ${PGSLUICE_CONFIG_TO})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pgsluiceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pgsluiceConfig.cmake ${PROJECT_BINARY_DIR}/pgsluiceConfigVersion.cmake
  DESTINATION ${PGSLUICE_CONFIG_TO} COMPONENT library)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "pgsluice <pgsluice@localhost>")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL program)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME pgsluice)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
include(CPack)
