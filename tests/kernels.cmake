add_executable(kernel_probe ${CMAKE_CURRENT_SOURCE_DIR}/kernel_probe.c ${CMAKE_SOURCE_DIR}/harness/kernel_check.c
               ${CMAKE_SOURCE_DIR}/harness/kernel_guard.c)
target_link_libraries(kernel_probe PRIVATE tern_kernels)
add_test(NAME kernels_equal_their_definition COMMAND kernel_probe)
