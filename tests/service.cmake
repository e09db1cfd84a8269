# The HTTP service: requests as text, and a real server with libcurl as its client.
if(NOT TERN_CORE_ONLY)
  add_executable(check_service_ask ${CMAKE_CURRENT_SOURCE_DIR}/check_service_ask.c)
  target_link_libraries(check_service_ask PRIVATE tern_service cmocka)
  add_test(NAME check_service_ask COMMAND check_service_ask)

  add_executable(check_service ${CMAKE_CURRENT_SOURCE_DIR}/check_service.c
                               ${CMAKE_CURRENT_SOURCE_DIR}/service_client.c ${CMAKE_CURRENT_SOURCE_DIR}/program.c
                               ${CMAKE_CURRENT_SOURCE_DIR}/scratch.c)
  target_link_libraries(check_service PRIVATE tern_service tern_model PkgConfig::CURL cmocka)
  add_test(NAME check_service COMMAND check_service $<TARGET_FILE:ternmark>)
  set_tests_properties(check_service PROPERTIES TIMEOUT 240)
endif()
