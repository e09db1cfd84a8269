# What the ARM kernels need, without ARM hardware: instructions counted under
# qemu by a plugin of our own, and the compiled loops.
set(instructions ${CMAKE_CURRENT_SOURCE_DIR}/instructions)
if(TERN_ARCH STREQUAL arm)
  add_executable(count_instructions ${instructions}/count.c)
  target_include_directories(count_instructions PRIVATE ${instructions})
  target_link_libraries(count_instructions PRIVATE tern_kernels)
elseif(NOT TERN_CORE_ONLY AND NOT TERN_SANITIZE)
  find_program(AARCH64_GCC aarch64-linux-gnu-gcc)
  find_program(AARCH64_OBJDUMP aarch64-linux-gnu-objdump)
  find_program(AARCH64_AR aarch64-linux-gnu-ar)
  find_program(QEMU_AARCH64 qemu-aarch64)
  if(AARCH64_GCC AND QEMU_AARCH64)
    add_library(count_plugin MODULE ${instructions}/plugin.c)
    add_test(NAME arm_kernels_need_no_more_instructions
      COMMAND ${instructions}/check.sh ${instructions}/recorded.txt ${AARCH64_GCC} ${QEMU_AARCH64}
              $<TARGET_FILE:count_plugin> ${CMAKE_SOURCE_DIR}/build/aarch64/tests/count_instructions)
    set_tests_properties(arm_kernels_need_no_more_instructions PROPERTIES
      FIXTURES_REQUIRED arm SKIP_RETURN_CODE 77 TIMEOUT 120)
  else()
    message(STATUS "no aarch64-linux-gnu-gcc or qemu-aarch64: instructions of ARM kernels are not counted")
  endif()
  if(AARCH64_GCC AND AARCH64_OBJDUMP AND AARCH64_AR)
    add_test(NAME arm_loops_stay_in_registers
      COMMAND ${instructions}/loops.sh ${CMAKE_SOURCE_DIR}/build/aarch64/libtern_kernels.a ${AARCH64_OBJDUMP} ${AARCH64_AR})
    set_tests_properties(arm_loops_stay_in_registers PROPERTIES FIXTURES_REQUIRED arm SKIP_RETURN_CODE 77)
  endif()
endif()
