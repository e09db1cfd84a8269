# engine/base.
if(NOT TERN_CORE_ONLY)
  foreach(noun team file memory)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_base cmocka)
    add_test(NAME check_${noun} COMMAND check_${noun})
    # A size that cannot be had is part of the tests; sanitizers end the program there unless told.
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120
      ENVIRONMENT "ASAN_OPTIONS=allocator_may_return_null=1;TSAN_OPTIONS=allocator_may_return_null=1")
  endforeach()
endif()
