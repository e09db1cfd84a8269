/* libFuzzer target: parses any bytes as GGUF and walks all that was found.
 * Each input is tried as it is, and with a run of zeros behind it, so that the
 * heads of real files (seeds cut short) have their tensors' data. */
#include <stdlib.h>
#include <string.h>

#include "engine/format/gguf.h"

enum { PADDING = 3 << 19, MOST_ROW = 1 << 16 };

static void walk_tensor(const tern_gguf_tensor *t) {
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

static void walk_key(const tern_gguf *g, tern_gguf_string k) {
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

static void try_bytes(const uint8_t *data, size_t size) {
  tern_error e = {0};
  tern_gguf *g;
  if (tern_gguf_parse(&g, data, size, "fuzz", &e)) {
    if (!e.text[0] || e.status != TERN_FAILED) abort(); /* every refusal tells why */
    return;
  }
  for (int i = 0; i < tern_gguf_key_count(g); i++) walk_key(g, tern_gguf_key_at(g, i));
  for (int i = 0; i < tern_gguf_tensor_count(g); i++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_at(g, i);
    if (tern_gguf_tensor_find(g, t->name) != t) abort();
    walk_tensor(t);
  }
  tern_gguf_close(g);
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
