# Vector operations. Plain programs without cmocka, so that the same run under qemu.
foreach(name vec_probe check_vectors check_vectors_math)
  add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c)
  target_link_libraries(${name} PRIVATE tern_kernels)
endforeach()
# The hash stands for the results of every operation on every CPU; a change of
# the written order changes it, and with it the logits of every model.
add_test(NAME vec_probe COMMAND vec_probe --expect 5e70d6e9defea61f)
add_test(NAME check_vectors COMMAND check_vectors)
add_test(NAME check_vectors_math COMMAND check_vectors_math)
