add_executable(kernel_probe ${CMAKE_CURRENT_SOURCE_DIR}/kernel_probe.c ${CMAKE_SOURCE_DIR}/harness/kernel_check.c
               ${CMAKE_SOURCE_DIR}/harness/kernel_guard.c)
target_link_libraries(kernel_probe PRIVATE tern_kernels)
add_test(NAME kernels_equal_their_definition COMMAND kernel_probe)

# clang's archive is there once clang_builds_without_warnings has run.
if(TERN_ARCH STREQUAL x86 AND NOT TERN_SANITIZE)
  add_test(NAME vnni_loops_stay_in_registers
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/kernel_loops.sh $<TARGET_FILE:tern_kernels>)
  add_test(NAME vnni_loops_stay_in_registers_clang
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/kernel_loops.sh ${CMAKE_SOURCE_DIR}/build/clang/libtern_kernels.a)
  set_tests_properties(vnni_loops_stay_in_registers vnni_loops_stay_in_registers_clang PROPERTIES SKIP_RETURN_CODE 77)
  set_tests_properties(vnni_loops_stay_in_registers_clang PROPERTIES DEPENDS clang_builds_without_warnings)
endif()
