# Building one Cython module into a wheel; shared by the compiled packages of this repository.
#
# Source distributions carry a copy of this folder, so it must not refer to anything outside it.

find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)

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

    add_custom_command(
        OUTPUT "${c_file}"
        COMMAND
            "${Python_EXECUTABLE}" -m cython -3 --depfile
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
    target_link_libraries(${name}_module PRIVATE ${arg_LIBRARIES})
    install(TARGETS ${name}_module DESTINATION "${arg_DESTINATION}" COMPONENT python)
endfunction()
