# Vector operations: the probe also runs under qemu (plain main, no cmocka).
add_executable(vec_probe ${CMAKE_CURRENT_SOURCE_DIR}/vec_probe.c)
target_link_libraries(vec_probe PRIVATE tern_kernels)
add_test(NAME vec_probe COMMAND vec_probe)
