# Summary rows of many contenders, the output formats of a result folder, and
# the report of a run with outside engines.
if(NOT TERN_CORE_ONLY)
  foreach(noun summary_rows bench_output report_side)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c)
    target_link_libraries(check_${noun} PRIVATE tern_harness cmocka)
    target_compile_definitions(check_${noun} PRIVATE FIXTURES="${CMAKE_CURRENT_SOURCE_DIR}/fixtures")
    add_test(NAME check_${noun} COMMAND check_${noun})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
endif()
