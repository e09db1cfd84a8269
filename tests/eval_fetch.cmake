# Fetching against a server of our own on loopback; manifest and archives.
if(NOT TERN_CORE_ONLY)
  find_package(Threads REQUIRED)
  add_library(tern_eval_server STATIC ${CMAKE_CURRENT_SOURCE_DIR}/eval_server.c
              ${CMAKE_CURRENT_SOURCE_DIR}/eval_fetching.c)
  target_link_libraries(tern_eval_server PUBLIC tern_eval tern_scratch Threads::Threads)
  tern_eval_checks(120 "tern_eval_server" fetch fetch_ends fetch_folder catalog archive)
  add_test(NAME fetch_commands COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/fetch_commands.sh $<TARGET_FILE:ternmark>)
endif()
