# Run by hand beside another engine (docs/parity.md); built so that it stays true.
if(NOT TERN_CORE_ONLY)
  add_executable(parity_probe parity_probe.c)
  target_link_libraries(parity_probe tern_model)
endif()
