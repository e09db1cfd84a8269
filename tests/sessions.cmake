# Several sequences at once, and what is built on them.
add_executable(batch_probe batch_probe.c)
target_link_libraries(batch_probe PRIVATE tern_reference)
add_test(NAME check_batch COMMAND batch_probe)

if(NOT TERN_CORE_ONLY)
  add_library(tern_stories STATIC stories.c)
  target_link_libraries(tern_stories PUBLIC tern_text tern_format)
  foreach(noun penalties stops generate schedule session_file)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_generate tern_reference tern_stories cmocka)
    add_test(NAME check_${noun} COMMAND check_${noun} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()

  add_executable(check_commands_text ${CMAKE_CURRENT_SOURCE_DIR}/check_commands_text.c
                                     ${CMAKE_CURRENT_SOURCE_DIR}/program.c ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c)
  target_link_libraries(check_commands_text PRIVATE tern_harness tern_stories cmocka)
  add_test(NAME check_commands_text COMMAND check_commands_text $<TARGET_FILE:ternmark>
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(check_commands_text PROPERTIES TIMEOUT 240)
endif()
