# Tests of harness: facts, meters, statistics, files, engines as processes, and
# the program itself on a tiny model.
if(NOT TERN_CORE_ONLY)
  add_library(tern_scratch STATIC ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c)
  foreach(noun stats samples summary counters machine worker)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_harness tern_scratch cmocka)
    add_test(NAME check_${noun} COMMAND check_${noun})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()

  add_executable(check_reproduce ${CMAKE_CURRENT_SOURCE_DIR}/check_reproduce.c)
  target_link_libraries(check_reproduce PRIVATE tern_scratch PkgConfig::JANSSON cmocka)
  add_test(NAME check_reproduce COMMAND check_reproduce $<TARGET_FILE:ternmark>)
  set_tests_properties(check_reproduce PROPERTIES TIMEOUT 300 PROCESSORS 2)
endif()
