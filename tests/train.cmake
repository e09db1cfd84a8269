# Training: operators, the model, runs, the vocabulary.
add_executable(grad_probe grad_probe.c)
target_link_libraries(grad_probe PRIVATE tern_kernels)
add_test(NAME grad_probe COMMAND grad_probe)

if(NOT TERN_CORE_ONLY)
  find_program(QEMU_AARCH64 qemu-aarch64)
  find_program(AARCH64_GCC aarch64-linux-gnu-gcc)
  if(AARCH64_GCC AND QEMU_AARCH64 AND TERN_ARCH STREQUAL x86 AND NOT TERN_SANITIZE)
    add_test(NAME arm_training_operations_hold
      COMMAND ${QEMU_AARCH64} -cpu cortex-a53 ${CMAKE_SOURCE_DIR}/build/aarch64/tests/grad_probe)
    set_tests_properties(arm_training_operations_hold PROPERTIES FIXTURES_REQUIRED arm TIMEOUT 600)
  endif()

  add_library(tern_train_fixture STATIC train_fixture.c train_reference.c)
  target_link_libraries(tern_train_fixture PUBLIC tern_train)
  foreach(name check_train check_train_tune check_train_export check_train_input check_train_data check_bpe)
    add_executable(${name} ${name}.c)
    target_link_libraries(${name} PRIVATE tern_train_fixture tern_model cmocka)
    target_compile_definitions(${name} PRIVATE TERN_TESTS_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endforeach()

  add_test(NAME train_commands COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/train_commands.sh $<TARGET_FILE:ternmark>)
  set_tests_properties(train_commands PROPERTIES TIMEOUT 300)

  add_test(NAME shipped_models COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/models.sh $<TARGET_FILE:ternmark>
           ${CMAKE_SOURCE_DIR}/datasets/models)
  set_tests_properties(shipped_models PROPERTIES TIMEOUT 600)
endif()
