# Evals: tasks, datasets, runs, grades. Includes nothing else of the harness.
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
file(GLOB eval_sources CONFIGURE_DEPENDS harness/eval/*.c)
add_library(tern_eval STATIC ${eval_sources})
target_link_libraries(tern_eval PUBLIC tern_generate tern_text tern_base PkgConfig::JANSSON PkgConfig::PCRE2 PkgConfig::UTF8PROC
                      PkgConfig::ZLIB
                      PkgConfig::CURL PkgConfig::ARCHIVE PkgConfig::CRYPTO ${CSV_LIBRARY})
target_compile_definitions(tern_eval PRIVATE TERN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
