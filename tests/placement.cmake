# Tests of the machine's description: placement, limits, facts.
if(NOT TERN_CORE_ONLY)
  foreach(noun placement limits system machine_report)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_harness tern_scratch cmocka)
    add_test(NAME check_${noun} COMMAND check_${noun})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
endif()
