# Tests of choosing kernels by times, of the cache that keeps them, and of what
# the kernels command prints.
if(NOT TERN_CORE_ONLY)
  add_executable(check_tune ${CMAKE_CURRENT_SOURCE_DIR}/check_tune.c)
  target_link_libraries(check_tune PRIVATE tern_harness tern_program_run tern_scratch cmocka)
  add_test(NAME check_tune COMMAND check_tune $<TARGET_FILE:ternmark>)
  set_tests_properties(check_tune PROPERTIES TIMEOUT 300 PROCESSORS 2)
endif()
