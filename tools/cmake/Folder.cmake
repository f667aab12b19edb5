# seedship_folder(NAME SOURCES ... DEPS ... [CONVERSION]): one folder = one idea = one static library.
function(seedship_folder name)
    cmake_parse_arguments(arg "CONVERSION" "" "SOURCES;DEPS" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
    target_compile_definitions(${name} PUBLIC _GNU_SOURCE _FILE_OFFSET_BITS=64
        SEEDSHIP_VERSION="${PROJECT_VERSION}")
    target_link_libraries(${name} PRIVATE seedship_warnings seedship_hardening
        $<$<BOOL:${arg_CONVERSION}>:seedship_conversion>)
    target_link_libraries(${name} PUBLIC ${arg_DEPS})
endfunction()

# seedship_program(NAME SOURCES ... DEPS ...): an installed executable.
function(seedship_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE seedship_warnings seedship_hardening ${arg_DEPS})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
    install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()
