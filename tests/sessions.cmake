# Several sequences at once, and what is built on them.
add_executable(batch_probe batch_probe.c)
target_link_libraries(batch_probe PRIVATE tern_reference)
add_test(NAME check_batch COMMAND batch_probe)
