# The mini set: what is held out stays out, and the repository's tests are what
# the generator makes. Run in the source tree, whose tables it reads.
if(NOT TERN_CORE_ONLY)
  add_executable(check_mini ${CMAKE_CURRENT_SOURCE_DIR}/check_mini.c ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c)
  target_link_libraries(check_mini PRIVATE tern_mini cmocka)
  add_test(NAME check_mini COMMAND check_mini WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(check_mini PROPERTIES TIMEOUT 120)

  add_executable(check_mini_tables ${CMAKE_CURRENT_SOURCE_DIR}/check_mini_tables.c
                 ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c)
  target_link_libraries(check_mini_tables PRIVATE tern_mini cmocka)
  add_test(NAME check_mini_tables COMMAND check_mini_tables WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(check_mini_tables PROPERTIES TIMEOUT 60)

  add_executable(check_mini_score ${CMAKE_CURRENT_SOURCE_DIR}/check_mini_score.c
                 ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c ${CMAKE_SOURCE_DIR}/harness/mini_score.c)
  target_link_libraries(check_mini_score PRIVATE tern_generate tern_mini cmocka)
  add_test(NAME check_mini_score COMMAND check_mini_score)
  set_tests_properties(check_mini_score PROPERTIES TIMEOUT 60)
endif()
