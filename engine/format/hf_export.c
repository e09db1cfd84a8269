/* The reader's tables, read the other way: keys to config.json, rows back to
 * the order that transformers has, codes packed four rows a byte. */
#include "engine/format/hf_export.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/format/arch.h"
#include "engine/format/convert_rows.h"
#include "engine/format/hf_parts.h"

enum { CODES_A_BYTE = 4, CHUNK = 64 };

typedef struct exporter {
  const tern_gguf *in;
  const char *folder;
  const hf_family *family;
  tern_i2s order;
  tern_team *team;
  tern_safetensors_writer *w;
  int64_t heads, kv_heads;
  bool ternary, tied;
  tern_safetype float_type; /* of all floats, as transformers wants it: the smallest that holds every one */
  tern_error *e;
} exporter;

static bool key_integer(const exporter *x, const char *name, int64_t *out) {
  char key[96];
  snprintf(key, sizeof key, "%s.%s", x->family->arch, name);
  return tern_gguf_integer(x->in, key, out);
}

static bool key_real(const exporter *x, const char *name, double *out) {
  char key[96];
  snprintf(key, sizeof key, "%s.%s", x->family->arch, name);
  return tern_gguf_real(x->in, key, out);
}

static int find_family(exporter *x) {
  char arch[64] = "";
  tern_gguf_string s = {0};
  if (tern_gguf_text(x->in, "general.architecture", &s)) {
    snprintf(arch, sizeof arch, "%.*s", (int)(s.size < sizeof arch ? s.size : sizeof arch - 1), s.data);
  }
  x->family = tern_hf_family_of_arch(arch);
  const tern_gguf_tensor *embedding = tern_gguf_tensor_find(x->in, "token_embd.weight");
  const char *file = tern_gguf_name(x->in);
  if (!x->family) {
    return tern_fail(x->e, TERN_FAILED, "%s: key general.architecture: transformers has no class for %s", file, arch);
  }
  if (!embedding) return tern_fail(x->e, TERN_FAILED, "%s: tensor token_embd.weight is missing", file);
  if (tern_gguf_tensor_find(x->in, "rope_freqs.weight")) {
    return tern_fail(x->e, TERN_FAILED,
                     "%s: tensor rope_freqs.weight: config.json wants the numbers that made its "
                     "factors; export the Hugging Face folder that the file came from",
                     file);
  }
  x->tied = !tern_gguf_tensor_find(x->in, "output.weight");
  if (key_integer(x, "attention.head_count", &x->heads) && x->heads > 0) {
    if (!key_integer(x, "attention.head_count_kv", &x->kv_heads)) x->kv_heads = x->heads;
    return x->kv_heads > 0 ? 0 : tern_fail(x->e, TERN_FAILED, "%s: key attention.head_count_kv", file);
  }
  return tern_fail(x->e, TERN_FAILED, "%s: key %s.attention.head_count is missing", file, arch);
}

/* GGUF row that is row `row` of transformers: halves of a head lie apart there. */
static int source_row(const exporter *x, const tern_gguf_tensor *t, int rows, int row) {
  char kind[64];
  tern_tensor_kind(t, kind, sizeof kind);
  bool query = strcmp(kind, "attn_q") == 0, key = strcmp(kind, "attn_k") == 0;
  if (tern_arch_find(x->family->arch)->rope != TERN_ROPE_INTERLEAVED || !(query || key)) return row;
  int size = rows / (int)(query ? x->heads : x->kv_heads);
  if (size < 2) return row;
  int in = row % size;
  return row - in + in % (size / 2) * 2 + in / (size / 2);
}

/* ---- tensors */

static int declare(exporter *x, const tern_gguf_tensor *t) {
  char name[128], scale[140];
  const int64_t one = 1;
  int rows = tern_tensor_rows(t);
  if (!tern_hf_name(x->family, t->name, name, sizeof name)) {
    return tern_fail(x->e, TERN_FAILED, "%s: tensor %s has no name in a model of class %s", tern_gguf_name(x->in),
                     t->name, x->family->classes[0]);
  }
  int64_t shape[2] = {t->dims == 1 ? t->shape[0] : rows, t->shape[0]};
  if (!t->type->ternary) {
    tern_safetensors_put(x->w, name, x->float_type, t->dims == 1 ? 1 : 2, shape);
    return 0;
  }
  if (rows % CODES_A_BYTE) {
    return tern_fail(x->e, TERN_FAILED, "%s: tensor %s: %d rows cannot be packed by fours", tern_gguf_name(x->in),
                     t->name, rows);
  }
  x->ternary = true;
  shape[0] /= CODES_A_BYTE;
  tern_safetensors_put(x->w, name, TERN_SAFE_U8, 2, shape);
  snprintf(scale, sizeof scale, "%s_scale", name);
  tern_safetensors_put(x->w, scale, TERN_SAFE_F32, 1, &one);
  return 0;
}

static int write_codes(exporter *x, const tern_gguf_tensor *t, int index) {
  tern_coded c;
  float scale;
  if (tern_coded_read(&c, x->in, t, x->order, false, x->team, x->e)) return (int)x->e->status;
  int packed = c.rows / CODES_A_BYTE, rc = 0;
  size_t cols = (size_t)c.cols;
  uint8_t *row = tern_alloc(cols, "a packed row", x->e);
  if (!row) rc = TERN_FAILED;
  if (!rc && !tern_coded_one_scale(&c, &scale)) {
    rc = tern_fail(x->e, TERN_FAILED, "%s: tensor %s: its rows have scales of their own, transformers has one a matrix",
                   tern_gguf_name(x->in), t->name);
  }
  for (int r = 0; r < packed && !rc; r++) {
    memset(row, 0, cols);
    for (int k = 0; k < CODES_A_BYTE; k++) {
      const int8_t *codes = c.codes + (size_t)source_row(x, t, c.rows, r + k * packed) * cols;
      for (size_t i = 0; i < cols; i++) row[i] |= (uint8_t)((codes[i] + 1) << 2 * k);
    }
    rc = tern_safetensors_writer_data(x->w, index, (size_t)r * cols, row, cols, x->e);
  }
  if (!rc) rc = tern_safetensors_writer_data(x->w, index + 1, 0, &scale, sizeof scale, x->e);
  tern_free(row, cols);
  tern_coded_free(&c);
  return rc;
}

static bool lacks_one(const exporter *x, const tern_gguf_tensor *t) {
  char kind[64];
  tern_tensor_kind(t, kind, sizeof kind);
  size_t n = strlen(kind);
  return x->family->gains_lack_one && n > 4 && strcmp(kind + n - 4, "norm") == 0;
}

/* Row `row` as transformers has it. */
static void float_row(const exporter *x, const tern_gguf_tensor *t, int row, float *values) {
  int rows = tern_tensor_rows(t), cols = (int)t->shape[0];
  t->type->row_floats(t->data, rows, cols, source_row(x, t, rows, row), x->order, values);
  for (int i = 0; i < cols && lacks_one(x, t); i++) values[i] -= 1;
}

/* Takes away from the types those that can't hold a row's values. */
static void rule_out(const float *values, int n, bool *fits) {
  for (int i = 0; i < n; i++) {
    fits[TERN_SAFE_BF16] &= tern_f32_from_bf16(tern_bf16_from_f32(values[i])) == values[i];
    fits[TERN_SAFE_F16] &= tern_f32_from_f16(tern_f16_from_f32(values[i])) == values[i];
  }
}

static int choose_float_type(exporter *x) {
  bool fits[] = {[TERN_SAFE_F32] = true, [TERN_SAFE_F16] = true, [TERN_SAFE_BF16] = true};
  int rc = 0;
  for (int i = 0; i < tern_gguf_tensor_count(x->in) && !rc; i++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_at(x->in, i);
    if (t->type->ternary) continue;
    size_t bytes = (size_t)t->shape[0] * sizeof(float);
    float *values = tern_alloc(bytes, "a row", x->e);
    if (!values) return TERN_FAILED;
    for (int r = 0; r < tern_tensor_rows(t) && (fits[TERN_SAFE_F16] || fits[TERN_SAFE_BF16]); r++) {
      float_row(x, t, r, values);
      rule_out(values, (int)t->shape[0], fits);
    }
    tern_free(values, bytes);
    rc = tern_interrupt_check(x->e);
  }
  x->float_type = fits[TERN_SAFE_BF16] ? TERN_SAFE_BF16 : fits[TERN_SAFE_F16] ? TERN_SAFE_F16 : TERN_SAFE_F32;
  return rc;
}

static int write_floats(exporter *x, const tern_gguf_tensor *t, int index) {
  static const uint32_t ids[] = {
      [TERN_SAFE_F32] = TERN_DISK_F32, [TERN_SAFE_F16] = TERN_DISK_F16, [TERN_SAFE_BF16] = TERN_DISK_BF16};
  const tern_dtype *type = tern_dtype_by_id(ids[x->float_type]);
  int rows = tern_tensor_rows(t), cols = (int)t->shape[0], rc = 0;
  size_t bytes = type->bytes(1, cols), floats = (size_t)cols * sizeof(float);
  float *values = tern_alloc(floats, "a row", x->e);
  uint8_t *row = values ? tern_alloc(bytes, "a row", x->e) : NULL;
  if (!row) rc = TERN_FAILED;
  for (int r = 0; r < rows && !rc; r++) {
    float_row(x, t, r, values);
    type->put_floats(row, 1, cols, 0, 1, values);
    rc = tern_safetensors_writer_data(x->w, index, (size_t)r * bytes, row, bytes, x->e);
    if (!rc && r % CHUNK == 0) rc = tern_interrupt_check(x->e);
  }
  tern_free(values, floats);
  tern_free(row, bytes);
  return rc;
}

static int write_tensors(exporter *x) {
  char path[PATH_MAX];
  int rc = 0, index = 0, n = tern_gguf_tensor_count(x->in);
  snprintf(path, sizeof path, "%s/model.safetensors", x->folder);
  if (tern_safetensors_writer_open(&x->w, path, x->e)) return TERN_FAILED;
  for (int i = 0; i < n && !rc; i++) rc = declare(x, tern_gguf_tensor_at(x->in, i));
  if (!rc) rc = tern_safetensors_writer_start(x->w, x->e);
  for (int i = 0; i < n && !rc; i++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_at(x->in, i);
    rc = t->type->ternary ? write_codes(x, t, index) : write_floats(x, t, index);
    index += t->type->ternary ? 2 : 1;
    tern_gguf_tensor_done(x->in, t);
  }
  if (!rc) {
    rc = tern_safetensors_writer_finish(x->w, x->e);
    x->w = NULL;
  }
  tern_safetensors_writer_abandon(x->w);
  return rc;
}

/* ---- config.json */

static int put_integers(exporter *x, json_t *root) {
  static const struct {
    const char *key, *field;
    bool needed;
  } rows[] = {{"context_length", "max_position_embeddings", true},
              {"embedding_length", "hidden_size", true},
              {"block_count", "num_hidden_layers", true},
              {"feed_forward_length", "intermediate_size", true},
              {"attention.head_count", "num_attention_heads", true},
              {"attention.head_count_kv", "num_key_value_heads", false},
              {"attention.key_length", "head_dim", false},
              {"attention.sliding_window", "sliding_window", false},
              {"attention.sliding_window_pattern", "sliding_window_pattern", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t v;
    bool there = key_integer(x, rows[i].key, &v);
    if (there) json_object_set_new(root, rows[i].field, json_integer(v));
    if (!there && rows[i].needed) {
      return tern_fail(x->e, TERN_FAILED, "%s: key %s.%s is missing", tern_gguf_name(x->in), x->family->arch,
                       rows[i].key);
    }
  }
  return 0;
}

/* NULL: none. */
static json_t *rope_scaling(const exporter *x) {
  static const struct {
    const char *key, *field;
  } rows[] = {{"rope.scaling.factor", "factor"},
              {"rope.scaling.low_freq_factor", "low_freq_factor"},
              {"rope.scaling.high_freq_factor", "high_freq_factor"},
              {"rope.scaling.original_context_length", "original_max_position_embeddings"},
              {"rope.scaling.yarn_beta_fast", "beta_fast"},
              {"rope.scaling.yarn_beta_slow", "beta_slow"},
              {"rope.scaling.attn_factor", "attention_factor"}};
  char key[96];
  double v;
  tern_gguf_string type;
  snprintf(key, sizeof key, "%s.rope.scaling.type", x->family->arch);
  if (!tern_gguf_text(x->in, key, &type) || (type.size == 4 && memcmp(type.data, "none", 4) == 0)) return NULL;
  json_t *rope = json_object();
  json_object_set_new(rope, "rope_type", json_stringn(type.data, type.size));
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (!key_real(x, rows[i].key, &v)) continue;
    json_object_set_new(rope, rows[i].field, v == rint(v) && i == 3 ? json_integer((json_int_t)v) : json_real(v));
  }
  return rope;
}

static void put_reals(const exporter *x, json_t *root) {
  static const struct {
    const char *key, *field;
  } rows[] = {{"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
              {"rope.freq_base", "rope_theta"},
              {"rope.freq_base_swa", "rope_local_base_freq"},
              {"embedding_scale", "scale_emb"}};
  double v, layers = json_number_value(json_object_get(root, "num_hidden_layers"));
  char digits[32];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (!key_real(x, rows[i].key, &v)) continue;
    snprintf(digits, sizeof digits, "%.7g", v); /* 1e-05, not the f32 next to it */
    json_object_set_new(root, rows[i].field, json_real(strtod(digits, NULL)));
  }
  if (key_real(x, "residual_scale", &v)) json_object_set_new(root, "scale_depth", json_real(v * sqrt(layers)));
  if (key_real(x, "logit_scale", &v) && v > 0)
    json_object_set_new(root, "dim_model_base",
                        json_integer((json_int_t)rint(json_number_value(json_object_get(root, "hidden_size")) / v)));
  if (strcmp(x->family->arch, "gemma3") == 0) {
    double scalar = json_number_value(json_object_get(root, "head_dim"));
    if (key_real(x, "attention.scale", &v) && v > 0) scalar = 1 / (v * v);
    json_object_set_new(root, "query_pre_attn_scalar", json_integer((json_int_t)rint(scalar)));
  }
  json_t *rope = rope_scaling(x);
  if (rope) json_object_set_new(root, "rope_scaling", rope);
}

static json_t *make_config(exporter *x, tern_error *e) {
  static const char *const types[] = {
      [TERN_SAFE_F32] = "float32", [TERN_SAFE_F16] = "float16", [TERN_SAFE_BF16] = "bfloat16"};
  const tern_gguf_tensor *embedding = tern_gguf_tensor_find(x->in, "token_embd.weight");
  json_t *root = json_pack("{s[s], ss, ss, sb, sI, ss}", "architectures", x->family->classes[0], "model_type",
                           x->family->model_type, "hidden_act", x->family->act, "tie_word_embeddings", (int)x->tied,
                           "vocab_size", (json_int_t)tern_tensor_rows(embedding), "torch_dtype", types[x->float_type]);
  int64_t id;
  if (put_integers(x, root)) {
    json_decref(root);
    return NULL;
  }
  put_reals(x, root);
  if (strcmp(x->family->arch, "gemma3") == 0)
    json_object_set_new(root, "hidden_activation", json_string(x->family->act));
  if (tern_gguf_integer(x->in, "tokenizer.ggml.bos_token_id", &id))
    json_object_set_new(root, "bos_token_id", json_integer(id));
  if (tern_gguf_integer(x->in, "tokenizer.ggml.eos_token_id", &id))
    json_object_set_new(root, "eos_token_id", json_integer(id));
  if (x->ternary)
    json_object_set_new(root, "quantization_config",
                        json_pack("{ss, ss, ss, s[s]}", "quant_method", "bitnet", "linear_class", "autobitlinear",
                                  "quantization_mode", "offline", "modules_to_not_convert", "lm_head"));
  if (!root) tern_fail(e, TERN_FAILED, "%s: out of memory", x->folder);
  return root;
}

static int write_config(exporter *x) {
  char path[PATH_MAX];
  tern_output *out;
  json_t *root = make_config(x, x->e);
  snprintf(path, sizeof path, "%s/config.json", x->folder);
  if (!root) return TERN_FAILED;
  int rc = tern_output_open(&out, path, x->e);
  if (!rc && json_dumpf(root, tern_output_stream(out), JSON_INDENT(2) | JSON_REAL_PRECISION(12)) != 0) {
    tern_output_abandon(out);
    rc = tern_fail(x->e, TERN_FAILED, "%s: cannot write", path);
  } else if (!rc) {
    rc = tern_output_commit(out, x->e);
  }
  json_decref(root);
  return rc;
}

int tern_hf_export(const tern_gguf *in, const char *folder, tern_i2s order, tern_team *team, tern_error *e) {
  exporter x = {.in = in, .folder = folder, .order = order ? order : tern_gguf_i2s_order(in), .team = team, .e = e};
  if (find_family(&x) || choose_float_type(&x)) return TERN_FAILED;
  if (tern_directory_make(folder, e)) return TERN_FAILED;
  if (write_tensors(&x)) return (int)e->status;
  return write_config(&x); /* last: a folder without it is no model */
}
