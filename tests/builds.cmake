# Whole-tree checks: layers, formatting, both compilers without warnings, and
# the ARM build whose probes run under qemu-user.
if(NOT TERN_CORE_ONLY AND NOT TERN_SANITIZE)
  add_test(NAME layers_point_down COMMAND ${CMAKE_SOURCE_DIR}/tests/layers.sh ${CMAKE_SOURCE_DIR})
  add_test(NAME sources_are_formatted COMMAND ${CMAKE_SOURCE_DIR}/tests/hygiene.sh ${CMAKE_SOURCE_DIR} format)
  add_test(NAME nothing_is_left_unfinished COMMAND ${CMAKE_SOURCE_DIR}/tests/hygiene.sh ${CMAKE_SOURCE_DIR} words)
  set_tests_properties(sources_are_formatted PROPERTIES SKIP_RETURN_CODE 77)

  find_program(CLANG clang)
  if(CLANG)
    add_test(NAME clang_builds_without_warnings
      COMMAND ${CMAKE_COMMAND} -DPRESET=clang -DSOURCE=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/cmake/build_preset.cmake)
    set_tests_properties(clang_builds_without_warnings PROPERTIES PROCESSORS 2 TIMEOUT 900)
  endif()
  add_test(NAME gcc_builds_without_warnings
    COMMAND ${CMAKE_COMMAND} -DPRESET=gcc -DSOURCE=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/cmake/build_preset.cmake)
  set_tests_properties(gcc_builds_without_warnings PROPERTIES PROCESSORS 2 TIMEOUT 900)

  find_program(AARCH64_GCC aarch64-linux-gnu-gcc)
  find_program(QEMU_AARCH64 qemu-aarch64)
  if(AARCH64_GCC AND QEMU_AARCH64 AND TERN_ARCH STREQUAL x86)
    set(arm ${CMAKE_SOURCE_DIR}/build/aarch64)
    add_test(NAME arm_build
      COMMAND ${CMAKE_COMMAND} -DPRESET=aarch64 -DSOURCE=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/cmake/build_preset.cmake)
    set_tests_properties(arm_build PROPERTIES FIXTURES_SETUP arm PROCESSORS 2 TIMEOUT 900)
    foreach(cpu cortex-a53 neoverse-n1 max)
      add_test(NAME arm_kernels_equal_scalar_${cpu} COMMAND ${QEMU_AARCH64} -cpu ${cpu} ${arm}/tests/kernel_probe)
      add_test(NAME arm_vectors_equal_scalar_${cpu} COMMAND ${QEMU_AARCH64} -cpu ${cpu} ${arm}/tests/vec_probe)
      # The same hash as on this machine: logits are the same bits on both.
      add_test(NAME arm_logits_equal_x86_${cpu}
        COMMAND ${CMAKE_SOURCE_DIR}/tests/same_output.sh $<TARGET_FILE:logits_probe>
                ${QEMU_AARCH64} -cpu ${cpu} ${arm}/tests/logits_probe)
      set_tests_properties(arm_kernels_equal_scalar_${cpu} arm_vectors_equal_scalar_${cpu}
        arm_logits_equal_x86_${cpu} PROPERTIES FIXTURES_REQUIRED arm TIMEOUT 600)
    endforeach()
    add_test(NAME arm_batches_equal_alone COMMAND ${QEMU_AARCH64} ${arm}/tests/batch_probe)
    set_tests_properties(arm_batches_equal_alone PROPERTIES FIXTURES_REQUIRED arm TIMEOUT 600)
  endif()
endif()
