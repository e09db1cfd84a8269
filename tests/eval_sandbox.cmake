# Programs under test: the sandbox with hostile ones, EvalPlus's verdicts.
if(NOT TERN_CORE_ONLY)
  add_executable(eval_hostile ${CMAKE_CURRENT_SOURCE_DIR}/eval_hostile.c)
  set_target_properties(eval_hostile PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/hostile)
  add_executable(check_eval_sandbox ${CMAKE_CURRENT_SOURCE_DIR}/check_eval_sandbox.c)
  target_link_libraries(check_eval_sandbox PRIVATE tern_eval cmocka)
  target_compile_definitions(check_eval_sandbox PRIVATE TERN_HOSTILE_FOLDER="${CMAKE_CURRENT_BINARY_DIR}/hostile")
  add_dependencies(check_eval_sandbox eval_hostile)
  add_test(NAME check_eval_sandbox COMMAND check_eval_sandbox)
  # Programs that use all they can get: beside others it is slow.
  set_tests_properties(check_eval_sandbox PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77 RUN_SERIAL ON)

  add_executable(check_eval_code ${CMAKE_CURRENT_SOURCE_DIR}/check_eval_code.c)
  target_link_libraries(check_eval_code PRIVATE tern_eval tern_scratch cmocka m)
  add_test(NAME check_eval_code COMMAND check_eval_code)
  set_tests_properties(check_eval_code PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77)

  add_executable(code_samples ${CMAKE_CURRENT_SOURCE_DIR}/code_samples.c)
  target_link_libraries(code_samples PRIVATE tern_eval)
endif()
