# Every published shape from the generator to generated tokens.
if(NOT TERN_CORE_ONLY)
  add_executable(check_families check_families.c)
  target_link_libraries(check_families PRIVATE tern_reference tern_harness cmocka)
  add_test(NAME check_families COMMAND check_families)
endif()
