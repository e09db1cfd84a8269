/* The list of vector tables and the choice among them. */
#include "kernels/vec.h"
#include "kernels/vec_tables.h"

static const tern_vec *const all[] = {&tern_vec_scalar,
#if defined(__x86_64__)
                                      &tern_vec_avx2, &tern_vec_avx512,
#elif defined(__aarch64__)
                                      &tern_vec_neon,
#endif
                                      NULL};

const char *const tern_kv_names[TERN_KV_TYPES + 1] = {
    [TERN_KV_F32] = "f32", [TERN_KV_F16] = "f16", [TERN_KV_INT8] = "int8"};

const tern_vec *const *tern_vecs(void) {
  return all;
}

const tern_vec *tern_vec_find(tern_isa cap) {
  const tern_vec *best = &tern_vec_scalar;
  for (const tern_vec *const *v = all; *v; v++)
    if ((*v)->isa <= cap && tern_isa_usable((*v)->isa)) best = *v;
  return best;
}

size_t tern_attend_scratch(size_t rows, size_t positions, size_t head_dim) {
  if (rows > TERN_ATTEND_ROWS) rows = TERN_ATTEND_ROWS;
  return rows * ((positions + 15) / 16 * 16) + (head_dim + 63) / 64 * 64 * TERN_ATTEND_WIDE;
}
