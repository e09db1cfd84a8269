# What takes minutes: the whole suite under sanitizers, long fuzzing.
if(TERN_LONG_TESTS AND NOT TERN_CORE_ONLY AND NOT TERN_SANITIZE)
  foreach(preset asan tsan)
    add_test(NAME suite_is_clean_under_${preset}
      COMMAND ${CMAKE_COMMAND} -DPRESET=${preset} -DSOURCE=${CMAKE_SOURCE_DIR} -DRUN=ON
              -P ${CMAKE_SOURCE_DIR}/cmake/build_preset.cmake)
    set_tests_properties(suite_is_clean_under_${preset} PROPERTIES PROCESSORS 2 TIMEOUT 3600)
  endforeach()
endif()

# Every reader under libFuzzer: 5 s always, 10 minutes in the long run.
find_program(CLANG clang)
if(CLANG AND NOT TERN_CORE_ONLY AND NOT TERN_SANITIZE)
  add_test(NAME fuzz_build
    COMMAND ${CMAKE_COMMAND} -DPRESET=fuzz -DTARGET_NAME=fuzz_targets -DSOURCE=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/cmake/build_preset.cmake)
  set_tests_properties(fuzz_build PROPERTIES FIXTURES_SETUP fuzz PROCESSORS 2 TIMEOUT 900)
  set(fuzz_seconds 5)
  if(TERN_LONG_TESTS)
    set(fuzz_seconds 600)
  endif()
  foreach(reader gguf llama2c config safetensors tokenizer_json tiktoken sentencepiece)
    add_test(NAME fuzz_${reader}
      COMMAND ${CMAKE_SOURCE_DIR}/tests/fuzz.sh $<TARGET_FILE:ternmark> ${CMAKE_SOURCE_DIR}/build/fuzz/tests/fuzz_${reader}
              ${fuzz_seconds} $<TARGET_FILE:hf_folder>)
    set_tests_properties(fuzz_${reader} PROPERTIES FIXTURES_REQUIRED fuzz TIMEOUT 900)
  endforeach()
endif()
