# Fetching against a server of our own on loopback; manifest and archives.
if(NOT TERN_CORE_ONLY)
  find_package(Threads REQUIRED)
  add_library(tern_eval_server STATIC ${CMAKE_CURRENT_SOURCE_DIR}/eval_server.c
              ${CMAKE_CURRENT_SOURCE_DIR}/eval_fetching.c)
  target_link_libraries(tern_eval_server PUBLIC tern_eval tern_scratch Threads::Threads)
  foreach(noun fetch fetch_ends fetch_folder)
    add_executable(check_eval_${noun} ${CMAKE_CURRENT_SOURCE_DIR}/check_eval_${noun}.c)
    target_link_libraries(check_eval_${noun} PRIVATE tern_eval_server cmocka)
    add_test(NAME check_eval_${noun} COMMAND check_eval_${noun} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(check_eval_${noun} PROPERTIES TIMEOUT 120)
  endforeach()
endif()
