# Graders of texts: IFEval, MATH, MT-bench.
if(NOT TERN_CORE_ONLY)
  add_executable(eval_verdicts ${CMAKE_CURRENT_SOURCE_DIR}/eval_verdicts.c)
  target_link_libraries(eval_verdicts PRIVATE tern_eval)
endif()
