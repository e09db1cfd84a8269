# Several sequences at once, and what is built on them.
add_executable(batch_probe batch_probe.c)
target_link_libraries(batch_probe PRIVATE tern_reference)
add_test(NAME check_batch COMMAND batch_probe)

if(NOT TERN_CORE_ONLY)
  foreach(noun penalties)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_text tern_model cmocka)
    add_test(NAME check_${noun} COMMAND check_${noun} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
endif()
