# Evals' tasks: templates, task files, and prompts beside lm-eval's.
if(NOT TERN_CORE_ONLY)
  tern_eval_checks(300 "" template task pages prompts)
endif()
