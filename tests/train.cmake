# Training: operators, the model, runs, the vocabulary.
if(NOT TERN_CORE_ONLY)
  add_executable(check_grad check_grad.c)
  target_link_libraries(check_grad PRIVATE tern_base tern_kernels cmocka)
  add_test(NAME check_grad COMMAND check_grad)
endif()
