# hearth_add_plugin(<name> <source>... [LINK <library>...] [FILES <file or folder>...]
#                   [QUIRKS <file>] [CHECK <option>...])
#
# Adds the plugin <name> as a MODULE target of that name, built to
# ${CMAKE_BINARY_DIR}/plugins/<name>/<name>.so: a plugins folder that a host can be pointed at. The
# sources may be C, C++ or both. FILES are copied beside the .so, where the plugin finds them by
# "plugin_dir". Why each flag is there: doc/abi.md, "How a plugin is built".
#
# Where the command plugin-check is found (beside this package, in PATH, or as HEARTH_PLUGIN_CHECK)
# and tests are enabled, the test <name>.plugin-check holds the plugin to the rules of the ABI, with
# the quirks file and the further options of the command (doc/plugin-check.md).
include_guard(GLOBAL)

function(hearth_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "QUIRKS" "LINK;FILES;CHECK")
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "hearth_add_plugin(${name}): no sources")
  endif()
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/hearth_plugin.map)
  add_library(${name} MODULE ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE Hearth::plugin_api ${arg_LINK})

  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("C" IN_LIST languages)
    target_compile_features(${name} PRIVATE c_std_11)
  endif()
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_17)
  endif()

  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so"
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins/${name}
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${map})
  target_compile_options(${name} PRIVATE
    $<$<OR:$<COMPILE_LANG_AND_ID:C,GNU>,$<COMPILE_LANG_AND_ID:CXX,GNU>>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE LINKER:--version-script=${map})

  if(arg_FILES)
    hearth_plugin_files(${name} ${arg_FILES})
  endif()
  hearth_check_plugin(${name} "${arg_QUIRKS}" ${arg_CHECK})

  # A sanitizer's runtime belongs to the program, and its libstdc++ must be the program's too.
  if(HEARTH_SANITIZE OR "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize")
    return()
  endif()
  target_link_options(${name} PRIVATE
    LINKER:-z,defs LINKER:--exclude-libs,ALL -static-libgcc
    $<$<LINK_LANGUAGE:CXX>:-static-libstdc++>)
endfunction()

# Copies files and folders beside the .so of the plugin <name>; called by hearth_add_plugin.
function(hearth_plugin_files name)
  set(folder ${CMAKE_BINARY_DIR}/plugins/${name})
  set(stamp ${CMAKE_CURRENT_BINARY_DIR}/${name}.files)
  set(copies)
  set(depends)
  foreach(item IN LISTS ARGN)
    get_filename_component(path ${item} ABSOLUTE)
    get_filename_component(last ${path} NAME)
    if(IS_DIRECTORY ${path})
      file(GLOB_RECURSE inside CONFIGURE_DEPENDS ${path}/*)
      list(APPEND depends ${inside})
      list(APPEND copies COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}/${last}
                         COMMAND ${CMAKE_COMMAND} -E copy_directory ${path} ${folder}/${last})
    else()
      list(APPEND depends ${path})
      list(APPEND copies COMMAND ${CMAKE_COMMAND} -E copy ${path} ${folder}/${last})
    endif()
  endforeach()
  add_custom_command(OUTPUT ${stamp}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    ${copies}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${depends}
    COMMENT "Copying the files of ${name}"
    VERBATIM)
  add_custom_target(${name}_files ALL DEPENDS ${stamp})
  add_dependencies(${name} ${name}_files)
endfunction()

# In Hearth's own build the command is a target; elsewhere it is looked for once. Without it, or with
# HEARTH_PLUGIN_CHECK set to OFF, there is no test.
function(hearth_check_plugin name quirks)
  if((DEFINED BUILD_TESTING AND NOT BUILD_TESTING) OR
     "${HEARTH_PLUGIN_CHECK}" STREQUAL "OFF")
    return()
  endif()
  set(arguments ${ARGN})
  if(quirks)
    get_filename_component(quirks ${quirks} ABSOLUTE)
    list(APPEND arguments --quirks ${quirks})
  endif()
  if(HEARTH_PLUGIN_CHECK_TARGET)
    set(command $<TARGET_FILE:${HEARTH_PLUGIN_CHECK_TARGET}>)
  else()
    find_program(HEARTH_PLUGIN_CHECK plugin-check
      HINTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../bin)
    if(NOT HEARTH_PLUGIN_CHECK)
      return()
    endif()
    set(command ${HEARTH_PLUGIN_CHECK})
  endif()
  add_test(NAME ${name}.plugin-check COMMAND ${command} ${arguments} $<TARGET_FILE:${name}>)
  set_tests_properties(${name}.plugin-check PROPERTIES LABELS abi TIMEOUT 600)
endfunction()
