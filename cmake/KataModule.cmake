# kata_module(<name> [DEPS targets...]): static library kata_<name> of every .cc in the calling folder
# (main.cc excepted) and its subfolders. DEPS is what the module may include: layers only look down.
function(kata_module name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(kata_${name} STATIC ${sources})
  target_link_libraries(kata_${name} PUBLIC kata_flags ${ARG_DEPS})
  if(NOT name STREQUAL "base")
    target_precompile_headers(kata_${name} REUSE_FROM kata_base)
  endif()
endfunction()

# kata_program(<output> [SOURCES files...] [DEPS targets...]): a program, static unless sanitized.
function(kata_program output)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/main.cc)
    return()
  endif()
  add_executable(${output} ${ARG_SOURCES})
  target_link_libraries(${output} PRIVATE kata_flags ${ARG_DEPS})
  if(KATA_STATIC)
    # Packed, the relocations of a program take 1 to 10 KB instead of 200 and more.
    target_link_options(${output} PRIVATE -static-pie -Wl,-z,pack-relative-relocs
                                          $<$<CONFIG:Release>:-s>)
  endif()
  set_target_properties(${output} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()
