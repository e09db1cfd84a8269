# Configures and builds one preset (TARGET_NAME of it, else all); RUN: its tests too.
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} --preset ${PRESET} RESULT_VARIABLE result
                OUTPUT_VARIABLE out ERROR_VARIABLE out)
if(result)
  message(FATAL_ERROR "configuring ${PRESET} failed:\n${out}")
endif()
if(NOT TARGET_NAME)
  set(TARGET_NAME all)
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${SOURCE}/build/${PRESET} --target ${TARGET_NAME} RESULT_VARIABLE result
                OUTPUT_VARIABLE out ERROR_VARIABLE out)
if(result)
  message(FATAL_ERROR "building ${PRESET} failed:\n${out}")
endif()
if(RUN)
  execute_process(COMMAND ctest --test-dir ${SOURCE}/build/${PRESET} --output-on-failure --no-tests=error
                  RESULT_VARIABLE result)
  if(result)
    message(FATAL_ERROR "tests fail under ${PRESET}")
  endif()
endif()
