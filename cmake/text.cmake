# Tokenizers and chat templates: all that the program has above the core, and
# what the fuzz targets of their files need.
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)

file(GLOB text_sources CONFIGURE_DEPENDS engine/text/*.c)
add_library(tern_text STATIC ${text_sources})
target_link_libraries(tern_text PUBLIC tern_format tern_kernels PkgConfig::PCRE2 PkgConfig::JANSSON
                      PkgConfig::UTF8PROC)
include(${CMAKE_CURRENT_LIST_DIR}/sentencepiece.cmake)
