# Tests of evals, check_eval_NAME for each name: tern_eval_checks(SECONDS "LIBRARIES" NAME...).
# Run in the source tree, so that ../shared is found.
set(tern_shared "$ENV{TERN_SHARED}")
if(NOT tern_shared)
  set(tern_shared "${CMAKE_SOURCE_DIR}/../shared")
endif()
function(tern_eval_checks seconds libraries)
  foreach(name ${ARGN})
    add_executable(check_eval_${name} ${CMAKE_CURRENT_SOURCE_DIR}/check_eval_${name}.c)
    target_link_libraries(check_eval_${name} PRIVATE tern_eval ${libraries} tern_scratch cmocka)
    target_compile_definitions(check_eval_${name} PRIVATE TERN_FIXTURES="${CMAKE_CURRENT_SOURCE_DIR}/fixtures"
                                                          TERN_TASKS="${CMAKE_SOURCE_DIR}/datasets/tasks")
    add_test(NAME check_eval_${name} COMMAND check_eval_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_eval_${name} PROPERTIES TIMEOUT ${seconds} ENVIRONMENT "TERN_SHARED=${tern_shared}")
  endforeach()
endfunction()
