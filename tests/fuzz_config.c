/* libFuzzer target: any bytes as a Hugging Face config.json. */
#include "engine/format/hf.h"
#include "tests/fuzz_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tern_error e = {0};
  tern_gguf *g;
  if (tern_hf_config_parse(&g, (const char *)data, size, "fuzz", &e)) {
    expect_reason(&e);
  } else {
    walk_model(g);
  }
  return 0;
}
