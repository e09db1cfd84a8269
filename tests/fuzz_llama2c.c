/* libFuzzer target: any bytes as a llama2.c checkpoint. */
#include "engine/format/llama2c.h"
#include "tests/fuzz_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tern_error e = {0};
  tern_gguf *g;
  if (tern_llama2c_parse(&g, data, size, "fuzz", &e)) {
    expect_reason(&e);
    return 0;
  }
  if (!tern_llama2c_is(data, size)) abort(); /* what opens is taken for one */
  walk_model(g);
  return 0;
}
