# find_package(Hearth): the target Hearth::plugin_api and hearth_add_plugin().
include(${CMAKE_CURRENT_LIST_DIR}/HearthTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/HearthPlugin.cmake)
