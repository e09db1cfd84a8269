# The HTTP service, above the harness.
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
file(GLOB service_sources CONFIGURE_DEPENDS service/*.c)
add_library(tern_service STATIC ${service_sources})
target_link_libraries(tern_service PUBLIC tern_harness PkgConfig::MICROHTTPD PkgConfig::JANSSON)
target_link_libraries(ternmark PRIVATE tern_service)
