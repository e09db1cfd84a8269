# Counters and the profile of the forward pass.
if(NOT TERN_CORE_ONLY)
  add_executable(check_counters_passes ${CMAKE_CURRENT_SOURCE_DIR}/check_counters_passes.c)
  target_link_libraries(check_counters_passes PRIVATE tern_harness cmocka)
  add_test(NAME check_counters_passes COMMAND check_counters_passes)
  set_tests_properties(check_counters_passes PROPERTIES TIMEOUT 120)

  add_executable(check_profile ${CMAKE_CURRENT_SOURCE_DIR}/check_profile.c)
  target_link_libraries(check_profile PRIVATE tern_reference tern_harness cmocka)
  add_test(NAME check_profile COMMAND check_profile)
  set_tests_properties(check_profile PROPERTIES TIMEOUT 120)
endif()
