/* For fuzz targets: asks for everything that an opened model holds. */
#ifndef TERN_TESTS_FUZZ_WALK_H
#define TERN_TESTS_FUZZ_WALK_H

#include <stdlib.h>
#include <string.h>

#include "engine/format/gguf.h"

enum { MOST_ROW = 1 << 16 };

static inline void walk_tensor(const tern_gguf_tensor *t) {
  int64_t rows = t->shape[1] * t->shape[2] * t->shape[3], cols = t->shape[0];
  if (cols > MOST_ROW) return;
  float *values = malloc((size_t)cols * sizeof *values), scale;
  int8_t *codes = malloc((size_t)cols);
  const int64_t picks[] = {0, rows / 2, rows - 1};
  for (size_t i = 0; values && codes && i < sizeof picks / sizeof *picks; i++) {
    for (tern_i2s order = TERN_I2S_AUTO; order <= TERN_I2S_ROWS4; order++) {
      t->type->row_floats(t->data, (int)rows, (int)cols, (int)picks[i], order, values);
      if (t->type->ternary) t->type->row_codes(t->data, (int)rows, (int)cols, (int)picks[i], order, codes, &scale);
    }
  }
  free(values);
  free(codes);
}

static inline void walk_key(const tern_gguf *g, tern_gguf_string k) {
  int64_t i, count;
  double d;
  bool b;
  tern_gguf_string s;
  char *key = strndup(k.data, k.size);
  if (!key || !tern_gguf_has(g, key)) abort(); /* every key listed can be found */
  tern_gguf_integer(g, key, &i);
  tern_gguf_real(g, key, &d);
  tern_gguf_bool(g, key, &b);
  if (tern_gguf_text(g, key, &s) && s.size) free(strndup(s.data, s.size));
  tern_gguf_string *texts = tern_gguf_texts(g, key, &count);
  for (i = 0; texts && i < count; i++) free(strndup(texts[i].data, texts[i].size));
  free(texts);
  free(tern_gguf_integers(g, key, &count));
  free(tern_gguf_reals(g, key, &count));
  free(key);
}

/* Closes it. */
static inline void walk_model(tern_gguf *g) {
  for (int i = 0; i < tern_gguf_key_count(g); i++) walk_key(g, tern_gguf_key_at(g, i));
  for (int i = 0; i < tern_gguf_tensor_count(g); i++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_at(g, i);
    if (tern_gguf_tensor_find(g, t->name) != t) abort();
    walk_tensor(t);
  }
  tern_gguf_close(g);
}

/* Every refusal tells why. */
static inline void expect_reason(const tern_error *e) {
  if (!e->text[0] || e->status != TERN_FAILED) abort();
}

#endif
