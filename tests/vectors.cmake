# Vector operations. Plain programs without cmocka, so that the same run under qemu.
foreach(name vec_probe check_vectors check_vectors_math)
  add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c)
  target_link_libraries(${name} PRIVATE tern_kernels)
  add_test(NAME ${name} COMMAND ${name})
endforeach()
