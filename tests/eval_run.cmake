# The runner of evals: ids, documents, asks through the schedule.
if(NOT TERN_CORE_ONLY)
  tern_eval_checks(120 "tern_generate;tern_stories" ask run document)
endif()
