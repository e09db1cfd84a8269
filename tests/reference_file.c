/* Tiny model files (reference_file.h), through the project's GGUF writer. */
#include "tests/reference_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/random.h"

enum { MAX_TENSORS = 256 };

typedef struct part {
  char name[64];
  const tern_dtype *type;
  int rows, cols, index;
  bool gain;
} part;

typedef struct file {
  const tiny_shape *shape;
  const tiny_family *family;
  const tiny_fault *fault;
  tiny_edit edit;
  uint64_t seed;
  part parts[MAX_TENSORS];
  int count;
} file;

static bool is(const char *wanted, const char *name) {
  return wanted && strcmp(wanted, name) == 0;
}

static void check(int rc, const tern_error *e) {
  if (!rc) return;
  fprintf(stderr, "tiny model: %s\n", e->text);
  abort();
}

static void add(file *f, int layer, const char *name, const char *type, int rows, int cols, bool gain) {
  part p = {.type = tern_dtype_by_name(type), .rows = rows, .cols = cols, .gain = gain};
  if (layer < 0) {
    snprintf(p.name, sizeof p.name, "%s.weight", name);
  } else {
    snprintf(p.name, sizeof p.name, "blk.%d.%s.weight", layer, name);
  }
  if (is(f->fault->missing, p.name)) return;
  if (is(f->fault->longer, p.name)) *(gain ? &p.cols : &p.rows) *= 2;
  if (is(f->fault->turned, p.name)) {
    p.rows = cols;
    p.cols = rows;
  }
  if (f->count == MAX_TENSORS) abort();
  f->parts[f->count++] = p;
}

static void add_factor(file *f, int layer, const char *name) {
  part p = {.type = tern_dtype_by_name("F32"), .rows = 1, .cols = 1, .gain = true};
  snprintf(p.name, sizeof p.name, "blk.%d.%s.scale", layer, name);
  f->parts[f->count++] = p;
}

static int head_dim(const file *f) {
  return f->family->head_dim ? f->family->head_dim : f->shape->hidden / f->shape->heads;
}

static void add_gain(file *f, int layer, const char *name, int size) {
  add(f, layer, name, "F32", 1, size, true);
}

static void add_bias(file *f, int layer, const char *name, int size) {
  part p = {.type = tern_dtype_by_name("F32"), .rows = 1, .cols = size, .gain = true};
  snprintf(p.name, sizeof p.name, "blk.%d.%s.bias", layer, name);
  if (!is(f->fault->missing, p.name)) f->parts[f->count++] = p;
}

static void list_layer(file *f, int i) {
  const tiny_shape *s = f->shape;
  bool gemma = is(s->arch, "gemma3"), heads = gemma || is(s->arch, "qwen3");
  bool gains = !is(s->arch, "bitllama2c"), sub = gains && strncmp(s->arch, "bitnet", 6) == 0;
  bool factors = is(s->arch, "bitnet"); /* as llama.cpp's converter writes that one */
  int dim = head_dim(f), query = dim * s->heads, kv = dim * s->kv_heads;
  add(f, i, "attn_q", s->body, query, s->hidden, false);
  add(f, i, "attn_k", s->body, kv, s->hidden, false);
  add(f, i, "attn_v", s->body, kv, s->hidden, false);
  add(f, i, "attn_output", s->body, s->hidden, query, false);
  add(f, i, "ffn_gate", s->body, s->ffn, s->hidden, false);
  add(f, i, "ffn_up", s->body, s->ffn, s->hidden, false);
  add(f, i, "ffn_down", s->body, s->hidden, s->ffn, false);
  if (factors) add_factor(f, i, i ? "ffn_down" : "attn_q");
  if (gains) add_gain(f, i, "attn_norm", s->hidden);
  if (gains) add_gain(f, i, "ffn_norm", s->hidden);
  if (sub) add_gain(f, i, "attn_sub_norm", query);
  if (sub) add_gain(f, i, "ffn_sub_norm", s->ffn);
  if (heads) add_gain(f, i, "attn_q_norm", dim);
  if (heads) add_gain(f, i, "attn_k_norm", dim);
  if (gemma) add_gain(f, i, "post_attention_norm", s->hidden);
  if (gemma) add_gain(f, i, "post_ffw_norm", s->hidden);
  if (is(s->arch, "qwen2")) {
    add_bias(f, i, "attn_q", query);
    add_bias(f, i, "attn_k", kv);
    add_bias(f, i, "attn_v", kv);
  }
  if (!f->family->input_norms) return;
  add_gain(f, i, "attn_q_norm_in", s->hidden);
  add_gain(f, i, "attn_k_norm_in", s->hidden);
  add_gain(f, i, "attn_v_norm_in", s->hidden);
  add_gain(f, i, "attn_output_norm_in", query);
  add_gain(f, i, "ffn_gate_norm_in", s->hidden);
  add_gain(f, i, "ffn_up_norm_in", s->hidden);
  add_gain(f, i, "ffn_down_norm_in", s->ffn);
}

static void list_parts(file *f) {
  const tiny_shape *s = f->shape;
  add(f, -1, "token_embd", s->embedding, s->vocab, s->hidden, false);
  if (s->own_head) add(f, -1, "output", s->embedding, s->vocab, s->hidden, false);
  add_gain(f, -1, "output_norm", s->hidden);
  if (is(f->family->scaling, "freqs")) add_gain(f, -1, "rope_freqs", head_dim(f) / 2);
  for (int i = 0; i < s->layers; i++) list_layer(f, i);
  if (f->fault->stranger) {
    part p = {.type = tern_dtype_by_name("F32"), .rows = 1, .cols = 4, .gain = true};
    snprintf(p.name, sizeof p.name, "%s", f->fault->stranger);
    f->parts[f->count++] = p;
  }
}

static void put_number(tern_gguf_writer *w, const file *f, const char *name, int value) {
  char key[96];
  snprintf(key, sizeof key, "%s.%s", f->shape->arch, name);
  tern_gguf_put_u32(w, key, is(f->fault->key, name) ? f->fault->value : (uint32_t)value);
}

static void put_real(tern_gguf_writer *w, const file *f, const char *name, float value) {
  char key[96];
  snprintf(key, sizeof key, "%s.%s", f->shape->arch, name);
  tern_gguf_put_f32(w, key, value);
}

static void put_family(tern_gguf_writer *w, const file *f) {
  const tiny_family *family = f->family;
  char key[96];
  if (family->window) put_number(w, f, "attention.sliding_window", family->window);
  if (family->period) put_number(w, f, "attention.sliding_window_pattern", family->period);
  if (is(f->shape->arch, "minicpm")) put_real(w, f, "logit_scale", 0.75f);
  if (family->key) put_real(w, f, family->key, family->number);
  if (!family->scaling || is(family->scaling, "freqs")) return;
  snprintf(key, sizeof key, "%s.rope.scaling.type", f->shape->arch);
  tern_gguf_put_text(w, key, family->scaling);
  put_real(w, f, "rope.scaling.factor", 4);
  put_number(w, f, "rope.scaling.original_context_length", f->shape->context / 4);
}

static void put_keys(tern_gguf_writer *w, const file *f) {
  const tiny_shape *s = f->shape;
  char key[96];
  tern_gguf_put_text(w, "general.architecture", s->arch);
  put_number(w, f, "context_length", s->context);
  put_number(w, f, "embedding_length", s->hidden);
  put_number(w, f, "block_count", s->layers);
  put_number(w, f, "feed_forward_length", s->ffn);
  put_number(w, f, "attention.head_count", s->heads);
  put_number(w, f, "attention.head_count_kv", s->kv_heads);
  put_number(w, f, "attention.key_length", head_dim(f));
  put_number(w, f, "attention.value_length", head_dim(f));
  put_number(w, f, "rope.dimension_count", f->family->rotated ? f->family->rotated : head_dim(f));
  put_family(w, f);
  snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", s->arch);
  tern_gguf_put_f32(w, key, 1e-5f);
  snprintf(key, sizeof key, "%s.rope.freq_base", s->arch);
  tern_gguf_put_f32(w, key, 500000);
  if (f->fault->i2s) tern_gguf_put_text(w, "ternmark.i2s_layout", f->fault->i2s);
  if (!f->fault->tokens) return;
  tern_gguf_string *tokens = calloc((size_t)f->fault->tokens, sizeof *tokens);
  if (!tokens) abort();
  for (int i = 0; i < f->fault->tokens; i++) tokens[i] = (tern_gguf_string){"x", 1};
  tern_gguf_put_texts(w, "tokenizer.ggml.tokens", tokens, (size_t)f->fault->tokens);
  free(tokens);
}

/* Values: gains about 1, weights of deviation about 1 / sqrt(columns). */
static void fill_floats(const file *f, const part *p, uint64_t stream, float *values) {
  size_t n = (size_t)p->rows * (size_t)p->cols;
  double spread = p->gain ? 0.5 : 3.4 / sqrt(p->cols), middle = p->gain ? 1 : 0;
  for (size_t i = 0; i < n; i++) {
    values[i] = (float)(middle + spread * (tern_random_unit(tern_random_at(f->seed, stream, i)) - 0.5));
  }
  if (strstr(p->name, ".bias")) {
    for (size_t i = 0; i < n; i++) values[i] -= 1;
  }
  if (strcmp(p->name, "output_norm.weight") == 0) {
    const tiny_shape *shape = f->shape;
    for (size_t i = 0; i < n; i++) {
      if (shape->head_gain != 0) values[i] *= shape->head_gain;
      if (shape->faint != 0 && i >= n / 4) values[i] *= shape->faint;
    }
  }
  if (strcmp(p->name, "token_embd.weight") == 0 && f->edit) f->edit(values, p->rows, p->cols);
  if (is(f->fault->nan_in, p->name)) values[n / 2] = NAN;
}

static void put_codes(const file *f, const part *p, uint64_t stream, uint8_t *data) {
  size_t n = (size_t)p->rows * (size_t)p->cols;
  int8_t *codes = malloc(n);
  float scale = (float)(0.7 + 0.6 * tern_random_unit(tern_random_at(f->seed, stream, n))) / sqrtf((float)p->cols);
  if (!codes) abort();
  for (size_t i = 0; i < n; i++) codes[i] = (int8_t)(tern_random_at(f->seed, stream, i) % 3) - 1;
  if (is(f->fault->nan_in, p->name)) scale = NAN;
  if (f->family->dead) scale = 0;
  if (f->family->uneven) { /* a row and a block of columns at a time; the type has no tail */
    for (int b = 0; b < p->rows * (p->cols / p->type->block); b++) {
      size_t bytes = p->type->bytes(1, p->type->block), at = (size_t)b;
      float own = tern_f32_from_f16(tern_f16_from_f32(scale * (0.5f + 0.25f * (float)(b % 5))));
      p->type->put_codes(data + at * bytes, 1, p->type->block, 0, 1, codes + at * (size_t)p->type->block, own);
    }
  } else {
    p->type->put_codes(data, p->rows, p->cols, 0, p->rows, codes, scale);
  }
  if (is(f->fault->code3_in, p->name)) data[n / 8] = 0xff;
  free(codes);
}

static void put_part(tern_gguf_writer *w, const file *f, const part *p, uint64_t stream) {
  tern_error e = {0};
  size_t bytes = p->type->bytes(p->rows, p->cols), n = (size_t)p->rows * (size_t)p->cols;
  uint8_t *data = calloc(1, bytes);
  float *values = calloc(n, sizeof *values);
  if (!data || !values) abort();
  if (p->type->ternary) {
    put_codes(f, p, stream, data);
  } else {
    fill_floats(f, p, stream, values);
    p->type->put_floats(data, p->rows, p->cols, 0, p->rows, values);
  }
  check(tern_gguf_writer_data(w, p->index, 0, data, bytes, &e), &e);
  free(data);
  free(values);
}

static void write_file(char *path, file f) {
  tern_error e = {0};
  tern_gguf_writer *w;
  snprintf(path, 64, "/tmp/ternmark-test-XXXXXX");
  int fd = mkstemp(path);
  if (fd < 0) abort();
  close(fd);
  list_parts(&f);
  check(tern_gguf_writer_open(&w, path, &e), &e);
  put_keys(w, &f);
  for (int i = 0; i < f.count; i++) {
    part *p = &f.parts[i];
    p->index = tern_gguf_put_tensor(w, p->name, p->type, p->gain ? 1 : 2, (int64_t[]){p->cols, p->rows});
  }
  check(tern_gguf_writer_start(w, &e), &e);
  for (int i = 0; i < f.count; i++) put_part(w, &f, &f.parts[i], (uint64_t)i);
  check(tern_gguf_writer_finish(w, &e), &e);
}

void tiny_write(char *path, const tiny_shape *s, const tiny_fault *fault, tiny_edit edit, uint64_t seed) {
  static const tiny_fault none;
  static const tiny_family plain;
  write_file(path, (file){.shape = s, .family = &plain, .fault = fault ? fault : &none, .edit = edit, .seed = seed});
}

void tiny_write_family(char *path, const tiny_shape *s, const tiny_family *family, const tiny_fault *fault,
                       uint64_t seed) {
  static const tiny_fault none;
  write_file(path, (file){.shape = s, .family = family, .fault = fault ? fault : &none, .seed = seed});
}
