/* The slow, obvious forward pass that the engine is held against, to the last
 * bit: triple loops over canonical weights, one token after the other, every
 * float operation in the written order of kernels/vec.h and kernels/kernel.h.
 * It shares with the engine only the file reader and tern_exp/log/sincos. */
#ifndef TERN_TESTS_REFERENCE_H
#define TERN_TESTS_REFERENCE_H

#include "engine/format/gguf.h"
#include "kernels/vec.h"

typedef struct reference_spec {
  const char *body, *head; /* layout names */
  tern_kv_type kv;
} reference_spec;

/* Logits [n][vocab] after each of n tokens. Aborts on anything unexpected. */
void reference_logits(const tern_gguf *g, const reference_spec *spec, const int32_t *ids, int n, float *logits);

#endif
