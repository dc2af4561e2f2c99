# What `cmake --install` puts in place: library, headers, CMake package and pkg-config file. All of
# it is relocatable, because a wheel is unpacked wherever an environment happens to be.
include(CMakePackageConfigHelpers)

set(wsframe_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/wsframe")
set(wsframe_pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(
    TARGETS wsframe
    EXPORT wsframe-targets
    COMPONENT wsframe
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
)
install(
    DIRECTORY include/wsframe
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    COMPONENT wsframe
    FILES_MATCHING PATTERN "*.h"
)
install(
    EXPORT wsframe-targets
    NAMESPACE wsframe::
    DESTINATION "${wsframe_cmake_dir}"
    COMPONENT wsframe
)

configure_package_config_file(
    cmake/wsframe-config.cmake.in
    wsframe-config.cmake
    INSTALL_DESTINATION "${wsframe_cmake_dir}"
    NO_SET_AND_CHECK_MACRO
)
write_basic_package_version_file(wsframe-config-version.cmake COMPATIBILITY SameMinorVersion)
install(
    FILES
        "${CMAKE_CURRENT_BINARY_DIR}/wsframe-config.cmake"
        "${CMAKE_CURRENT_BINARY_DIR}/wsframe-config-version.cmake"
    DESTINATION "${wsframe_cmake_dir}"
    COMPONENT wsframe
)

# The prefix of the pkg-config file is found from where the file lies.
file(
    RELATIVE_PATH
    wsframe_pc_libdir
    "/prefix/${wsframe_pkgconfig_dir}"
    "/prefix/${CMAKE_INSTALL_LIBDIR}"
)
file(
    RELATIVE_PATH
    wsframe_pc_includedir
    "/prefix/${wsframe_pkgconfig_dir}"
    "/prefix/${CMAKE_INSTALL_INCLUDEDIR}"
)
if(BUILD_SHARED_LIBS)
    set(wsframe_pc_cflags "-DWSFRAME_SHARED")
    set(wsframe_pc_libs "-lwsframe")
elseif(WIN32)
    set(wsframe_pc_cflags "")
    set(wsframe_pc_libs "-lwsframe -lbcrypt")
else()
    set(wsframe_pc_cflags "")
    set(wsframe_pc_libs "-lwsframe ${CMAKE_THREAD_LIBS_INIT}")
endif()
configure_file(cmake/wsframe.pc.in wsframe.pc @ONLY)
install(
    FILES "${CMAKE_CURRENT_BINARY_DIR}/wsframe.pc"
    DESTINATION "${wsframe_pkgconfig_dir}"
    COMPONENT wsframe
)
