# Counters and the profile of the forward pass.
if(NOT TERN_CORE_ONLY)
  foreach(name check_counters_passes check_counters_multiplex)
    add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c)
    target_link_libraries(${name} PRIVATE tern_harness cmocka)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120)
  endforeach()

  add_executable(check_profile ${CMAKE_CURRENT_SOURCE_DIR}/check_profile.c)
  target_link_libraries(check_profile PRIVATE tern_reference tern_harness cmocka)
  add_test(NAME check_profile COMMAND check_profile)
  set_tests_properties(check_profile PROPERTIES TIMEOUT 120)

  add_executable(check_profile_worker ${CMAKE_CURRENT_SOURCE_DIR}/check_profile_worker.c)
  target_link_libraries(check_profile_worker PRIVATE tern_harness tern_scratch cmocka)
  add_test(NAME check_profile_worker COMMAND check_profile_worker)
  set_tests_properties(check_profile_worker PROPERTIES TIMEOUT 120)

  add_test(NAME check_profile_commands
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/profile_commands.sh $<TARGET_FILE:ternmark>)
  set_tests_properties(check_profile_commands PROPERTIES TIMEOUT 120)
endif()
