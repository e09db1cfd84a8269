/* One vector for a text: final hidden states pooled as the file says (BitNet
 * embeddings: the last token's), scaled to length 1. Sums of the mean run in
 * double over tokens ascending; the length is the root of sum_squares. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/forward.h"

static void mean(float *out, const float *states, int n, int hidden) {
  for (int i = 0; i < hidden; i++) {
    double sum = 0;
    for (int t = 0; t < n; t++) sum += (double)states[(size_t)t * (size_t)hidden + (size_t)i];
    out[i] = (float)(sum / n);
  }
}

int tern_session_embed(tern_session *s, const int32_t *ids, int n, tern_pooling pooling, float *out, tern_error *e) {
  const tern_model *m = s->workspace->model;
  int hidden = m->facts.hidden, wanted = pooling == TERN_POOLING_LAST ? 1 : n;
  size_t width = (size_t)hidden * sizeof(float);
  if (pooling == TERN_POOLING_NONE)
    return tern_fail(e, TERN_FAILED, "embedding: the model's file names no pooling; choose mean, cls or last");
  if (n < 1) return tern_fail(e, TERN_FAILED, "embedding: no tokens given");
  float *states = malloc((size_t)wanted * width);
  if (!states) return tern_fail(e, TERN_FAILED, "embedding of %d tokens: out of memory", n);
  tern_item item = {.session = s, .ids = ids, .n = n, .wanted = wanted, .states = states};
  int rc = tern_batch_eval(s->workspace, &item, 1, e);
  if (rc) goto out;
  if (pooling == TERN_POOLING_MEAN) {
    mean(out, states, n, hidden);
  } else {
    memcpy(out, states, width); /* the first token's, or the last's, of which alone there is a row */
  }
  float length = sqrtf(m->vec->sum_squares(out, hidden));
  if (length > 0) m->vec->scale(out, 1 / length, hidden);
out:
  free(states);
  return rc;
}
