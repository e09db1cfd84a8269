# Meters, on machines that the tests make up.
if(NOT TERN_CORE_ONLY)
  add_library(tern_energy_fixture STATIC
    ${CMAKE_CURRENT_SOURCE_DIR}/energy_fixture.c
    ${CMAKE_CURRENT_SOURCE_DIR}/energy_bench.c)
  target_link_libraries(tern_energy_fixture PUBLIC tern_harness cmocka)
  foreach(noun energy_rapl energy_counters energy_perf energy_kinds energy_choice energy_csv_file energy_csv energy_marker
               energy_live energy_figures energy_call energy_run)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_energy_fixture)
    add_test(NAME check_${noun} COMMAND check_${noun})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
  add_executable(check_energy_model ${CMAKE_CURRENT_SOURCE_DIR}/check_energy_model.c)
  target_link_libraries(check_energy_model PRIVATE tern_reports cmocka)
  add_test(NAME check_energy_model COMMAND check_energy_model)
endif()
