/* Writes an opened llama2.c checkpoint as GGUF. Rows need no permutation:
 * llama2.c rotates pairs of neighbours, as GGUF's "llama" does.
 * bitllama2c divides a matrix' input by rms * n, n the columns; the constant
 * 1/n goes into the stored scale, so that the graph has plain RMS norms. */
#include "engine/format/llama2c.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/format/llama2c_private.h"

static const float norm_eps = 1e-5f, rope_base = 10000;

static void put_keys(tern_gguf_writer *w, const llama2c_file *f, const char *name) {
  const char *arch = f->ternary ? "bitllama2c" : "llama";
  const struct {
    const char *key;
    int value;
  } numbers[] = {
      {"context_length", f->context},
      {"embedding_length", f->dim},
      {"block_count", f->layers},
      {"feed_forward_length", f->hidden},
      {"vocab_size", f->vocab},
      {"attention.head_count", f->heads},
      {"attention.head_count_kv", f->kv_heads},
      {"rope.dimension_count", f->dim / f->heads},
  };
  char key[80];
  tern_gguf_put_text(w, "general.architecture", arch);
  tern_gguf_put_text(w, "general.name", name);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    snprintf(key, sizeof key, "%s.%s", arch, numbers[i].key);
    tern_gguf_put_u32(w, key, (uint32_t)numbers[i].value);
  }
  snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", arch);
  tern_gguf_put_f32(w, key, norm_eps);
  snprintf(key, sizeof key, "%s.rope.freq_base", arch);
  tern_gguf_put_f32(w, key, rope_base);
}

/* Codes of a ternary matrix: weight j of a byte at bits 6 - 2 j; 01 = +1, 11 = -1. */
static int read_codes(const llama2c_file *f, const llama2c_tensor *t, int8_t *codes, float *scale, tern_error *e) {
  static const int8_t code[4] = {0, 1, 2, -1};
  const uint8_t *from = f->map.data + t->offset;
  size_t n = (size_t)t->rows * (size_t)t->cols;
  bool broken = false;
  memcpy(scale, from, sizeof *scale);
  from += sizeof *scale;
  for (size_t i = 0; i < n; i++) {
    codes[i] = code[from[i / 4] >> (6 - 2 * (i % 4)) & 3];
    broken |= codes[i] == 2;
  }
  if (broken) return tern_fail(e, TERN_FAILED, "%s: %s has a field that is no ternary code", f->path, t->name);
  if (!isfinite(*scale)) return tern_fail(e, TERN_FAILED, "%s: %s has no finite scale", f->path, t->name);
  *scale /= (float)t->cols;
  return 0;
}

typedef struct room {
  size_t codes_size, values_size, bytes_size;
  int8_t *codes;
  float *values;
  uint8_t *bytes;
} room;

static int encode(const llama2c_file *f, const llama2c_tensor *t, const tern_dtype *type, room *r, tern_error *e) {
  size_t n = (size_t)t->rows * (size_t)t->cols;
  if (t->ternary) {
    float scale;
    if (read_codes(f, t, r->codes, &scale, e)) return TERN_FAILED;
    if (type->put_codes) {
      type->put_codes(r->bytes, t->rows, t->cols, 0, t->rows, r->codes, scale);
      return 0;
    }
    for (size_t i = 0; i < n; i++) r->values[i] = scale * (float)r->codes[i];
  } else {
    memcpy(r->values, f->map.data + t->offset, n * sizeof(float));
  }
  type->put_floats(r->bytes, t->rows, t->cols, 0, t->rows, r->values);
  return 0;
}

static int open_room(room *r, const llama2c_file *f, const tern_dtype *type, tern_error *e) {
  size_t most = 0;
  for (int i = 0; i < f->count; i++) {
    size_t n = (size_t)f->tensors[i].rows * (size_t)f->tensors[i].cols;
    if (n > most) most = n;
  }
  r->codes_size = f->ternary ? most : 1;
  r->values_size = most * sizeof(float);
  r->bytes_size = most * sizeof(float) + type->tail;
  r->codes = tern_alloc(r->codes_size, "a tensor's codes", e);
  r->values = tern_alloc(r->values_size, "a tensor's values", e);
  r->bytes = tern_alloc(r->bytes_size, "a tensor's bytes", e);
  return r->codes && r->values && r->bytes ? 0 : TERN_FAILED;
}

static void close_room(room *r) {
  tern_free(r->codes, r->codes_size);
  tern_free(r->values, r->values_size);
  tern_free(r->bytes, r->bytes_size);
}

static int check_type(const llama2c_file *f, const tern_dtype *type, tern_error *e) {
  if (!f->ternary && !type->put_floats) {
    return tern_fail(e, TERN_FAILED, "%s: not ternary, so type %s cannot hold it; take f32, f16, bf16 or q8_0", f->path,
                     type->name);
  }
  for (int i = 0; i < f->count; i++) {
    const llama2c_tensor *t = &f->tensors[i];
    if (!t->matrix || (t->cols % type->block == 0 && type->bytes(t->rows, t->cols) != SIZE_MAX)) continue;
    return tern_fail(e, TERN_FAILED, "%s: %s is %d x %d, which type %s cannot hold; take f32 or f16", f->path, t->name,
                     t->rows, t->cols, type->name);
  }
  return 0;
}

static int write_tensors(const llama2c_file *f, const tern_dtype *type, tern_gguf_writer *w, tern_error *e) {
  const tern_dtype *f32 = tern_dtype_by_id(TERN_DISK_F32);
  room r = {0};
  int rc = open_room(&r, f, type, e);
  for (int i = 0; i < f->count && !rc; i++) {
    const llama2c_tensor *t = &f->tensors[i];
    const tern_dtype *its = t->matrix ? type : f32;
    rc = tern_interrupt_check(e);
    if (!rc) rc = encode(f, t, its, &r, e);
    if (!rc) rc = tern_gguf_writer_data(w, t->index, 0, r.bytes, its->bytes(t->rows, t->cols), e);
  }
  close_room(&r);
  return rc;
}

int tern_llama2c_convert(const char *in, const char *out, const tern_llama2c_params *params, tern_error *e) {
  llama2c_file f;
  tern_gguf_writer *w = NULL;
  int rc = tern_llama2c_open(&f, in, e);
  if (rc) goto out;
  const tern_dtype *type = params->type ? params->type : tern_dtype_by_id(f.ternary ? TERN_DISK_I2_S : TERN_DISK_F32);
  if ((rc = check_type(&f, type, e))) goto out;
  if ((rc = tern_gguf_writer_open(&w, out, e))) goto out;
  put_keys(w, &f, params->name);
  if (type->id == TERN_DISK_I2_S) tern_gguf_put_text(w, "ternmark.i2s_layout", "128");
  if (params->put_vocabulary) {
    if ((rc = params->put_vocabulary(params->arg, w, f.vocab, e))) goto out;
  } else {
    tern_gguf_put_text(w, "tokenizer.ggml.model", "no_vocab");
  }
  for (int i = 0; i < f.count; i++) {
    llama2c_tensor *t = &f.tensors[i];
    const int64_t shape[2] = {t->cols, t->rows};
    t->index = tern_gguf_put_tensor(w, t->name, t->matrix ? type : tern_dtype_by_id(TERN_DISK_F32), t->dims, shape);
  }
  if ((rc = tern_gguf_writer_start(w, e))) goto out;
  if ((rc = write_tensors(&f, type, w, e))) goto out;
  rc = tern_gguf_writer_finish(w, e);
  w = NULL;
out:
  tern_gguf_writer_abandon(w);
  tern_llama2c_close(&f);
  return rc;
}
