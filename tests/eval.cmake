# Evals: draws, datasets and metrics beside what Python and lm-eval gave. Run in
# the source tree, so that ../shared is found.
if(NOT TERN_CORE_ONLY)
  tern_eval_checks(120 "" random rows shots text metrics)
endif()
