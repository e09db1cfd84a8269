/* Memory read in plain C, four chains. */
#include "kernels/read.h"

static uint64_t run(const void *p, size_t bytes) {
  const uint64_t *x = p;
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (size_t i = 0; i < bytes / sizeof *x; i += 4) {
    a ^= x[i];
    b ^= x[i + 1];
    c ^= x[i + 2];
    d ^= x[i + 3];
  }
  return a ^ b ^ c ^ d;
}

const tern_reader tern_reader_scalar = {"read_scalar", TERN_ISA_SCALAR, run};
