# engine/format: disk types, GGUF, synthetic models, conversion; and shapes.
# Run in the source tree, so that ../shared is found.
if(NOT TERN_CORE_ONLY)
  foreach(noun dtype gguf gguf_input synth convert convert_types shapes)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_format cmocka)
    add_test(NAME check_${noun} COMMAND check_${noun} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
  target_link_libraries(check_shapes PRIVATE tern_harness)

  # Hugging Face folders, made by the tests themselves.
  add_library(tern_hf_fixture STATIC ${CMAKE_CURRENT_SOURCE_DIR}/hf_fixture.c)
  target_link_libraries(tern_hf_fixture PUBLIC tern_format)
  add_executable(hf_folder ${CMAKE_CURRENT_SOURCE_DIR}/hf_folder.c)
  target_link_libraries(hf_folder PRIVATE tern_hf_fixture)
  foreach(noun hf hf_families)
    add_executable(check_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_${noun}.c)
    target_link_libraries(check_${noun} PRIVATE tern_model tern_hf_fixture tern_scratch cmocka)
    add_test(NAME check_${noun} COMMAND check_${noun} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
  add_executable(check_tokenizer_export ${CMAKE_CURRENT_SOURCE_DIR}/check_tokenizer_export.c)
  target_link_libraries(check_tokenizer_export PRIVATE tern_text cmocka)
  target_compile_definitions(check_tokenizer_export PRIVATE TERN_TESTS_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
  add_test(NAME check_tokenizer_export COMMAND check_tokenizer_export)
  add_test(NAME hugging_face_folders_run_convert_and_export
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/hf_commands.sh $<TARGET_FILE:ternmark> $<TARGET_FILE:hf_folder>
            ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(hugging_face_folders_run_convert_and_export PROPERTIES TIMEOUT 120)
  add_test(NAME synth_inspect_convert_commands
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/format_commands.sh $<TARGET_FILE:ternmark>)
  set_tests_properties(synth_inspect_convert_commands PROPERTIES TIMEOUT 120)
endif()

# The fuzzers (preset fuzz: clang, everything instrumented by fuzzer-no-link).
if(TERN_FUZZ)
  add_custom_target(fuzz_targets)
  foreach(reader gguf llama2c config safetensors tokenizer_json tiktoken sentencepiece)
    add_executable(fuzz_${reader} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_${reader}.c)
    target_link_libraries(fuzz_${reader} PRIVATE tern_format)
    target_link_options(fuzz_${reader} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets fuzz_${reader})
  endforeach()
  target_link_libraries(fuzz_tokenizer_json PRIVATE tern_text)
  target_link_libraries(fuzz_tiktoken PRIVATE tern_text)
  target_link_libraries(fuzz_sentencepiece PRIVATE tern_text)
endif()
