# Records of evals: journal, figures, result files, gate, comparisons.
if(NOT TERN_CORE_ONLY)
  tern_eval_checks(120 "" journal python_json results paired gate)
endif()
# The program as a whole, with the shipped model.
if(NOT TERN_CORE_ONLY)
  foreach(noun commands slurm)
    add_test(NAME eval_${noun} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/eval_${noun}.sh $<TARGET_FILE:ternmark>
                                       ${CMAKE_SOURCE_DIR})
    set_tests_properties(eval_${noun} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
  endforeach()
endif()
