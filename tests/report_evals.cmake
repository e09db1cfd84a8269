# Accuracy in reports.
if(NOT TERN_CORE_ONLY)
  add_executable(check_report_evals ${CMAKE_CURRENT_SOURCE_DIR}/check_report_evals.c ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c)
  target_link_libraries(check_report_evals PRIVATE tern_reports cmocka)
  target_compile_definitions(check_report_evals PRIVATE FIXTURES="${CMAKE_CURRENT_SOURCE_DIR}/fixtures")
  add_test(NAME check_report_evals COMMAND check_report_evals)
endif()
