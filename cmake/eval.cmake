# Evals: datasets, draws, metrics. Needs no model, so that it builds and is
# tested alone.
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
file(GLOB eval_sources CONFIGURE_DEPENDS harness/eval/*.c)
add_library(tern_eval STATIC ${eval_sources})
target_link_libraries(tern_eval PUBLIC tern_text tern_base PkgConfig::JANSSON PkgConfig::PCRE2 PkgConfig::UTF8PROC
                      PkgConfig::ZLIB ${CSV_LIBRARY})
