# Graders of texts: IFEval, MATH, MT-bench. The two programs are held beside
# lm-eval's own functions (docs/graders.md says how).
if(NOT TERN_CORE_ONLY)
  foreach(program eval_verdicts eval_score)
    add_executable(${program} ${CMAKE_CURRENT_SOURCE_DIR}/${program}.c)
    target_link_libraries(${program} PRIVATE tern_eval)
  endforeach()
  tern_eval_checks(240 "" ifeval math mtbench)
endif()
