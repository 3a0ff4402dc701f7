# Installs the component plugin-api alone, builds the examples against it elsewhere, loads them.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${out}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix --component plugin-api)

foreach(file include/hearth/plugin.h include/hearth/plugin.hpp
             include/hearth/kit/fake_host.hpp share/pkgconfig/hearth-plugin.pc
             share/cmake/Hearth/HearthConfig.cmake)
  if(NOT EXISTS ${WORK}/prefix/${file})
    message(FATAL_ERROR "not installed: ${file}")
  endif()
endforeach()
if(EXISTS ${WORK}/prefix/bin OR EXISTS ${WORK}/prefix/lib)
  message(FATAL_ERROR "the component plugin-api installs more than headers and texts")
endif()

find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${WORK}/prefix/share/pkgconfig
            ${PKG_CONFIG} --cflags hearth-plugin
    OUTPUT_VARIABLE flags RESULT_VARIABLE result)
  string(REGEX REPLACE "^-I|[ \n]+$" "" folder "${flags}")
  if(NOT result EQUAL 0 OR NOT EXISTS "${folder}/hearth/plugin.h")
    message(FATAL_ERROR "pkg-config gives no folder with the header: ${flags}")
  endif()
endif()

foreach(example echo-c echo-cpp shell sqlite)
  file(COPY ${WORK}/prefix/${EXAMPLES}/${example} DESTINATION ${WORK}/source)
  run(${CMAKE_COMMAND} -S ${WORK}/source/${example} -B ${WORK}/build/${example} -G ${GENERATOR}
      -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_C_COMPILER=${C} -DCMAKE_CXX_COMPILER=${CXX}
      -DCMAKE_BUILD_TYPE=Release -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
  run(${CMAKE_COMMAND} --build ${WORK}/build/${example})
  # The author's own tests, by the installed kit.
  run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build/${example} --output-on-failure)
endforeach()
run(${CMAKE_COMMAND} -E env
    HEARTH_TEST_OUT_OF_TREE=${WORK}/build/echo-c/plugins/echoc/echoc.so:${WORK}/build/echo-cpp/plugins/echo/echo.so
    ${TESTS} "[.out-of-tree]")
file(REMOVE_RECURSE ${WORK})
