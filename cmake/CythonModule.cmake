# Building one Cython module into a wheel; shared by the compiled packages of this repository.
#
# Source distributions carry a copy of this folder, so it must not refer to anything outside it.

find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)

# Slow, and only for coverage.py, which reads the C files beside the modules. Its plugin for Cython
# does not know `sys.monitoring`.
option(CYTHON_LINE_TRACE "Have the modules report which of their lines are executed" OFF)

# add_cython_module(<name>
#     SOURCE <file.pyx>          relative to the current source folder
#     PACKAGE_ROOT <folder>      where cimports of the own package are looked up
#     DESTINATION <folder>       where the module goes in the wheel
#     [LIBRARIES <target>...])   what it is linked with
#
# The target is called <name>_module, so a module may have the name of a library.
function(add_cython_module name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE;PACKAGE_ROOT;DESTINATION" "LIBRARIES")
    set(source "${CMAKE_CURRENT_SOURCE_DIR}/${arg_SOURCE}")
    set(root "${CMAKE_CURRENT_SOURCE_DIR}/${arg_PACKAGE_ROOT}")
    set(c_file "${CMAKE_CURRENT_BINARY_DIR}/cython/${arg_DESTINATION}/${name}.c")
    string(REPLACE "/" "." package "${arg_DESTINATION}")
    cmake_path(GET c_file PARENT_PATH c_folder)
    file(MAKE_DIRECTORY "${c_folder}")

    set(options "")
    if(CYTHON_LINE_TRACE)
        list(APPEND options -X linetrace=True)
    endif()
    if(CMAKE_BUILD_TYPE STREQUAL "Debug")
        list(APPEND options --gdb --gdb-outdir "${CMAKE_BINARY_DIR}")  # for cygdb
    endif()

    add_custom_command(
        OUTPUT "${c_file}"
        COMMAND
            "${Python_EXECUTABLE}" -m cython -3 --depfile ${options}
            --module-name "${package}.${name}" --include-dir "${root}"
            "${source}" --output-file "${c_file}"
        DEPENDS "${source}"
        DEPFILE "${c_file}.dep"
        VERBATIM
    )
    Python_add_library(${name}_module MODULE "${c_file}" WITH_SOABI)
    set_target_properties(
        ${name}_module
        PROPERTIES OUTPUT_NAME ${name} C_STANDARD 11 C_VISIBILITY_PRESET hidden
    )
    if(UNIX AND CMAKE_C_COMPILER_ID MATCHES "^(GNU|Clang)$")
        # Functions of other libraries are called without a stub in between, which would be one
        # more line of code to be fetched with each message.
        target_compile_options(${name}_module PRIVATE -fno-plt)
    endif()
    target_link_libraries(${name}_module PRIVATE ${arg_LIBRARIES})
    install(TARGETS ${name}_module DESTINATION "${arg_DESTINATION}" COMPONENT python)
    if(CYTHON_LINE_TRACE)
        target_compile_definitions(
            ${name}_module PRIVATE CYTHON_TRACE=1 CYTHON_USE_SYS_MONITORING=0
        )
        install(FILES "${c_file}" DESTINATION "${arg_DESTINATION}" COMPONENT python)
    endif()
endfunction()
