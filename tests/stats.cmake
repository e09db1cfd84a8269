# Statistics: the interval of a ratio and the rule that stops, by simulation on
# models of noise and on recorded blocks (every fixtures/blocks-*.csv).
# stats_study prints the tables of docs/statistics.md; record_blocks records.
if(NOT TERN_CORE_ONLY)
  add_library(tern_stats_trials STATIC
    ${CMAKE_CURRENT_SOURCE_DIR}/stats_noise.c
    ${CMAKE_CURRENT_SOURCE_DIR}/stats_candidates.c
    ${CMAKE_CURRENT_SOURCE_DIR}/stats_path.c)
  target_link_libraries(tern_stats_trials PUBLIC tern_harness)
  foreach(noun stats_ratio stats_coverage stats_steady stats_interference stats_serial)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_stats_trials tern_scratch cmocka)
    target_compile_definitions(check_${noun} PRIVATE
      TERN_RECORDED_BLOCKS="${CMAKE_CURRENT_SOURCE_DIR}/fixtures")
    add_test(NAME check_${noun} COMMAND check_${noun})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
  add_executable(stats_study ${CMAKE_CURRENT_SOURCE_DIR}/stats_study.c)
  target_link_libraries(stats_study PRIVATE tern_stats_trials)
  add_executable(record_blocks ${CMAKE_CURRENT_SOURCE_DIR}/record_blocks.c)
  target_link_libraries(record_blocks PRIVATE tern_base tern_kernels)
endif()
