# Reports: published tables, verdicts, and the report of hand-made folders.
if(NOT TERN_CORE_ONLY)
  file(GLOB published ${CMAKE_SOURCE_DIR}/reports/published/*.csv)
  list(LENGTH published published_count)
  foreach(noun published claims report report_page report_tables)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c)
    target_link_libraries(check_${noun} PRIVATE tern_reports cmocka)
    target_compile_definitions(check_${noun} PRIVATE PUBLISHED_COUNT=${published_count}
      PUBLISHED_DIR="${CMAKE_SOURCE_DIR}/reports/published" FIXTURES="${CMAKE_CURRENT_SOURCE_DIR}/fixtures")
    add_test(NAME check_${noun} COMMAND check_${noun})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
endif()
