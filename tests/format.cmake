# engine/format: disk types, GGUF, synthetic models, conversion; and shapes.
# Run in the source tree, so that ../shared is found.
if(NOT TERN_CORE_ONLY)
  foreach(noun dtype gguf gguf_input synth convert shapes)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_format cmocka)
    add_test(NAME check_${noun} COMMAND check_${noun} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
  target_link_libraries(check_shapes PRIVATE tern_harness)
  add_test(NAME synth_inspect_convert_commands
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/format_commands.sh $<TARGET_FILE:ternmark>)
  set_tests_properties(synth_inspect_convert_commands PROPERTIES TIMEOUT 120)
endif()

# The fuzzer (preset fuzz: clang, everything instrumented by fuzzer-no-link).
if(TERN_FUZZ)
  add_executable(fuzz_gguf ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_gguf.c)
  target_link_libraries(fuzz_gguf PRIVATE tern_format)
  target_link_options(fuzz_gguf PRIVATE -fsanitize=fuzzer)
endif()
