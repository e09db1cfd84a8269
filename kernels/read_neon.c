/* Memory read, 128-bit loads, eight chains. */
#include <arm_neon.h>

#include "kernels/read.h"

enum { CHAINS = 8 };

static uint64_t run(const void *p, size_t bytes) {
  const uint64_t *x = p;
  uint64x2_t sum[CHAINS];
  for (int c = 0; c < CHAINS; c++) sum[c] = vdupq_n_u64(0);
  for (size_t i = 0; i < bytes / sizeof *x; i += 2 * CHAINS)
    for (int c = 0; c < CHAINS; c++) sum[c] = veorq_u64(sum[c], vld1q_u64(x + i + 2 * (size_t)c));
  for (int c = 1; c < CHAINS; c++) sum[0] = veorq_u64(sum[0], sum[c]);
  return vgetq_lane_u64(sum[0], 0) ^ vgetq_lane_u64(sum[0], 1);
}

const tern_reader tern_reader_neon = {"read_neon", TERN_ISA_NEON, run};
