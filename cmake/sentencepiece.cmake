# The reader of SentencePiece's model files, made from engine/text/sentencepiece.proto by protobuf-c.
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
find_program(PROTOC_C NAMES protoc-c protoc-gen-c REQUIRED)
set(sentencepiece_c ${CMAKE_BINARY_DIR}/generated/sentencepiece.pb-c.c)
add_custom_command(OUTPUT ${sentencepiece_c} ${CMAKE_BINARY_DIR}/generated/sentencepiece.pb-c.h
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated
  COMMAND ${PROTOC_C} --c_out=${CMAKE_BINARY_DIR}/generated --proto_path=${CMAKE_SOURCE_DIR}/engine/text
          ${CMAKE_SOURCE_DIR}/engine/text/sentencepiece.proto
  DEPENDS ${CMAKE_SOURCE_DIR}/engine/text/sentencepiece.proto)
target_sources(tern_text PRIVATE ${sentencepiece_c} ${CMAKE_BINARY_DIR}/generated/sentencepiece.pb-c.h)
set_source_files_properties(${sentencepiece_c} PROPERTIES COMPILE_OPTIONS -w)
target_include_directories(tern_text PRIVATE ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(tern_text PUBLIC PkgConfig::PROTOBUF_C)
