# Evals: draws, datasets and metrics beside what Python and lm-eval gave. Run in
# the source tree, so that ../shared is found.
if(NOT TERN_CORE_ONLY)
  foreach(noun random rows shots text metrics)
    add_executable(check_eval_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_eval_${noun}.c)
    target_link_libraries(check_eval_${noun} PRIVATE tern_eval tern_scratch cmocka)
    target_compile_definitions(check_eval_${noun} PRIVATE TERN_FIXTURES="${CMAKE_CURRENT_SOURCE_DIR}/fixtures")
    add_test(NAME check_eval_${noun} COMMAND check_eval_${noun} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_eval_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
endif()
