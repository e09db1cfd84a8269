/* libFuzzer target: parses any bytes as GGUF and walks all that was found.
 * Each input is tried as it is, and with a run of zeros behind it, so that the
 * heads of real files (seeds cut short) have their tensors' data. */
#include "tests/fuzz_walk.h"

enum { PADDING = 3 << 19 };

static void try_bytes(const uint8_t *data, size_t size) {
  tern_error e = {0};
  tern_gguf *g;
  if (tern_gguf_parse(&g, data, size, "fuzz", &e)) {
    expect_reason(&e);
  } else {
    walk_model(g);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try_bytes(data, size);
  uint8_t *padded = calloc(1, size + PADDING);
  if (!padded) return 0;
  memcpy(padded, data, size);
  try_bytes(padded, size + PADDING);
  free(padded);
  return 0;
}
