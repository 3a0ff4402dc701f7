# find_package(Hearth): the targets Hearth::plugin_api and Hearth::plugin_kit, and
# hearth_add_plugin().
include(${CMAKE_CURRENT_LIST_DIR}/HearthTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/HearthPlugin.cmake)
