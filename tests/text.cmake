# Tokenizers and sampler. Run in the source tree, so that ../shared is found.
if(NOT TERN_CORE_ONLY)
  foreach(noun tokenizer tokenizer_input pretokenizer tokenizer_json chat_template sampler)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_text cmocka)
    target_compile_definitions(check_${noun} PRIVATE TERN_TESTS_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
    add_test(NAME check_${noun} COMMAND check_${noun} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()

  # The loop itself is of the harness room, whose rest is not needed here.
  add_executable(check_generate ${CMAKE_CURRENT_SOURCE_DIR}/check_generate.c ${CMAKE_SOURCE_DIR}/harness/generate.c)
  target_link_libraries(check_generate PRIVATE tern_text tern_model cmocka)
  add_test(NAME check_generate COMMAND check_generate WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(check_generate PROPERTIES TIMEOUT 120)
endif()
