# Everything above the portable core: text, baselines, harness, reports, the program.
include(cmake/text.cmake)
pkg_check_modules(HWLOC REQUIRED IMPORTED_TARGET hwloc)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
find_library(CSV_LIBRARY csv REQUIRED)
find_library(PAPI_LIBRARY papi REQUIRED)
include(cmake/eval.cmake)

file(GLOB train_sources CONFIGURE_DEPENDS engine/train/*.c)
add_library(tern_train STATIC ${train_sources})
target_link_libraries(tern_train PUBLIC tern_text tern_format tern_kernels PkgConfig::JANSSON)

file(GLOB mini_sources CONFIGURE_DEPENDS engine/train/mini/*.c)
add_library(tern_mini STATIC ${mini_sources})
target_link_libraries(tern_mini PUBLIC tern_base PkgConfig::JANSSON)
target_compile_definitions(tern_mini PRIVATE TERN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

file(GLOB generate_sources CONFIGURE_DEPENDS engine/generate/*.c)
add_library(tern_generate STATIC ${generate_sources})
target_link_libraries(tern_generate PUBLIC tern_model tern_text)

file(GLOB baselines_sources CONFIGURE_DEPENDS baselines/*.c)
add_library(tern_baselines STATIC ${baselines_sources})
target_link_libraries(tern_baselines PUBLIC tern_model)

file(GLOB reports_sources CONFIGURE_DEPENDS reports/*.c)
add_library(tern_reports STATIC ${reports_sources})
target_link_libraries(tern_reports PUBLIC tern_base PkgConfig::JANSSON ${CSV_LIBRARY})
file(GLOB published_tables CONFIGURE_DEPENDS reports/published/*.csv)
set_source_files_properties(reports/published.c PROPERTIES OBJECT_DEPENDS "${published_tables}")
target_compile_definitions(tern_reports PRIVATE TERN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

add_custom_target(tern_revision
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUT=${CMAKE_BINARY_DIR}/generated/tern_revision.h
          -P ${CMAKE_SOURCE_DIR}/cmake/revision.cmake
  BYPRODUCTS ${CMAKE_BINARY_DIR}/generated/tern_revision.h)

file(GLOB harness_sources CONFIGURE_DEPENDS harness/*.c harness/commands/*.c)
list(FILTER harness_sources EXCLUDE REGEX "harness/main\\.c$")
add_library(tern_harness STATIC ${harness_sources})
target_link_libraries(tern_harness PUBLIC tern_baselines tern_eval tern_mini tern_generate tern_text tern_train tern_reports PkgConfig::HWLOC
                      PkgConfig::EDIT
                      PkgConfig::CRYPTO ${PAPI_LIBRARY})
add_dependencies(tern_harness tern_revision)
target_include_directories(tern_harness PRIVATE ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(tern_harness PRIVATE TERN_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
  TERN_VERSION="${PROJECT_VERSION}" TERN_C_FLAGS="${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_RELEASE}")

add_executable(ternmark harness/main.c)
target_link_libraries(ternmark PRIVATE tern_harness)

include(cmake/service.cmake)
