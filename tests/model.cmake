# Tests of engine/model: the reference and tiny model files are shared.
add_library(tern_reference STATIC reference.c reference_matrix.c reference_file.c)
target_link_libraries(tern_reference PUBLIC tern_model)

add_executable(logits_probe logits_probe.c)
target_link_libraries(logits_probe PRIVATE tern_reference)
add_test(NAME check_logits COMMAND logits_probe)

if(NOT TERN_CORE_ONLY)
  foreach(name check_model_files check_model_session check_model_exact)
    add_executable(${name} ${name}.c)
    target_link_libraries(${name} PRIVATE tern_reference tern_baselines cmocka)
    add_test(NAME ${name} COMMAND ${name})
  endforeach()
endif()
