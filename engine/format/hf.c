/* A Hugging Face folder as a tern_gguf: config and shards are read, every
 * tensor gets its GGUF name, and those whose rows must be changed a view. */
#include "engine/format/hf.h"

#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/format/arch.h"
#include "engine/format/gguf_build.h"
#include "engine/format/gguf_private.h"
#include "engine/format/hf_parts.h"
#include "engine/format/view.h"

enum { MOST_CONFIG = 64 << 20, MOST_TEMPLATE = 1 << 20 };

/* What the tensors lie in; lives as long as the tern_gguf. */
typedef struct holder {
  hf_shards shards;
  tern_view *views;
  float *factors; /* rope_freqs.weight; NULL: none */
} holder;

typedef struct reader {
  const char *folder;
  hf_config config;
  holder *h;
  hf_place *places; /* of all tensors, shard after shard */
  tern_gguf_tensor *tensors;
  int count, capacity;
  size_t bytes;
  tern_error *e;
} reader;

static void close_holder(void *owner) {
  holder *h = owner;
  tern_hf_shards_close(&h->shards);
  free(h->views);
  free(h->factors);
  free(h);
}

static void drop_pages(void *owner, const tern_gguf_tensor *t) {
  const holder *h = owner;
  const uint8_t *at = t->data;
  if (tern_dtype_by_id(t->type->id) != t->type) at = ((const tern_view *)(const void *)t->data)->rows;
  for (int i = 0; i < h->shards.count; i++) {
    const tern_map *m = &h->shards.list[i].map;
    if (at >= m->data && at < m->data + m->size) tern_map_done(m, (size_t)(at - m->data), t->bytes);
  }
}

static int refuse(const reader *r, const struct hf_shard *s, const tern_safetensor *t, const char *what) {
  return tern_fail(r->e, TERN_FAILED, "%s: tensor %.100s: %s", s->path, t->name, what);
}

static const tern_dtype *stored_type(const tern_safetensor *t) {
  static const uint32_t ids[] = {
      [TERN_SAFE_F32] = TERN_DISK_F32, [TERN_SAFE_F16] = TERN_DISK_F16, [TERN_SAFE_BF16] = TERN_DISK_BF16};
  return t->type <= TERN_SAFE_BF16 ? tern_dtype_by_id(ids[t->type]) : NULL;
}

/* The weight_scale beside a packed matrix, as a factor. */
static int read_scale(const reader *r, const struct hf_shard *s, const tern_safetensor *of, const hf_place *place,
                      float *out) {
  int i = 0;
  for (int k = 0; k < r->h->shards.count; k++) {
    const struct hf_shard *in = &r->h->shards.list[k];
    for (int n = 0; n < tern_safetensors_count(in->tensors); n++, i++) {
      const tern_safetensor *t = tern_safetensors_at(in->tensors, n);
      if (r->places[i].part != HF_SCALE || strcmp(r->places[i].name, place->name) != 0) continue;
      const tern_dtype *type = stored_type(t);
      if (!type || t->bytes != type->bytes(1, 1)) return refuse(r, in, t, "is no single float");
      type->row_floats(t->data, 1, 1, 0, TERN_I2S_AUTO, out);
      if (r->config.quantisation.divides) *out = 1 / *out;
      return isfinite(*out) ? 0 : refuse(r, in, t, "gives a scale that is not finite");
    }
  }
  return refuse(r, s, of, "is packed (U8), but has no weight_scale beside it");
}

static int check_shape(const reader *r, const struct hf_shard *s, const tern_safetensor *t, const hf_place *place) {
  bool matrix = place->part == HF_WEIGHT && !place->norm;
  if (t->dims != (matrix ? 2 : 1)) return refuse(r, s, t, matrix ? "is no matrix" : "is no vector");
  for (int i = 0; i < t->dims; i++) {
    if (t->shape[i] < 1 || t->shape[i] > INT_MAX / 4) return refuse(r, s, t, "is empty or too large");
  }
  if (t->type == TERN_SAFE_U8 && place->projection && matrix) return 0;
  if (stored_type(t)) return 0;
  return tern_fail(r->e, TERN_FAILED, "%s: tensor %.100s: dtype %s is not supported here (F32, F16, BF16%s are)",
                   s->path, t->name, t->type_name, place->projection ? " and packed U8" : "");
}

/* Heads whose halves are to be interleaved; 0: rows stay where they are. */
static int turned_heads(const reader *r, const struct hf_shard *s, const tern_safetensor *t, const hf_place *place,
                        int64_t rows, int *heads) {
  const hf_config *c = &r->config;
  *heads = 0;
  if (tern_arch_find(c->family->arch)->rope != TERN_ROPE_INTERLEAVED || !(place->query || place->key)) return 0;
  if (place->part == HF_BIAS) return refuse(r, s, t, "biases of q and k are not supported in this family");
  *heads = place->query ? c->heads : c->kv_heads;
  if (rows == (int64_t)*heads * c->head_dim) return 0;
  return tern_fail(r->e, TERN_FAILED, "%s: tensor %.100s has %lld rows, but config.json says %d heads of %d", s->path,
                   t->name, (long long)rows, *heads, c->head_dim);
}

static int add_tensor(reader *r, const struct hf_shard *s, const tern_safetensor *t, const hf_place *place) {
  const hf_config *c = &r->config;
  if (check_shape(r, s, t, place)) return TERN_FAILED;
  const tern_dtype *stored = stored_type(t);
  tern_view *v = &r->h->views[r->count];
  tern_gguf_tensor *out = &r->tensors[r->count++];
  int64_t rows = t->dims == 2 ? t->shape[0] * (stored ? 1 : 4) : 1, cols = t->shape[t->dims - 1];
  bool matrix = place->projection && place->part == HF_WEIGHT;
  *v = (tern_view){.rows = t->data, .stored = stored, .shift = c->family->gains_lack_one && place->own_norm ? 1 : 0};
  if (turned_heads(r, s, t, place, rows, &v->heads)) return TERN_FAILED;
  if (!stored && read_scale(r, s, t, place, &v->scale)) return TERN_FAILED;
  const tern_dtype *type = !stored                             ? &tern_dtype_packed_rows
                           : matrix && c->quantisation.masters ? &tern_dtype_master
                           : v->heads > 0 || v->shift != 0     ? tern_view_floats(stored)
                                                               : stored;
  *out = (tern_gguf_tensor){.name = place->name,
                            .type = type,
                            .dims = t->dims,
                            .shape = {cols, rows, 1, 1},
                            .data = type == stored ? t->data : (const uint8_t *)v,
                            .bytes = t->bytes,
                            .offset = t->offset};
  r->bytes += t->bytes;
  return 0;
}

static int place_all(reader *r) {
  size_t n = 1; /* room for rope_freqs */
  for (int k = 0; k < r->h->shards.count; k++) n += (size_t)tern_safetensors_count(r->h->shards.list[k].tensors);
  r->places = calloc(n, sizeof *r->places);
  r->tensors = calloc(n, sizeof *r->tensors);
  r->h->views = calloc(n, sizeof *r->h->views);
  if (!r->places || !r->tensors || !r->h->views) return tern_fail(r->e, TERN_FAILED, "%s: out of memory", r->folder);
  int i = 0;
  for (int k = 0; k < r->h->shards.count; k++) {
    const struct hf_shard *s = &r->h->shards.list[k];
    for (int m = 0; m < tern_safetensors_count(s->tensors); m++, i++) {
      const char *name = tern_safetensors_at(s->tensors, m)->name;
      if (tern_hf_place(r->config.family, name, r->config.layers, s->path, &r->places[i], r->e)) return TERN_FAILED;
      /* A norm in front of one projection is a BitLinear's: its weights are masters. */
      if (r->places[i].norm && !r->places[i].own_norm) r->config.quantisation.masters = true;
    }
  }
  return 0;
}

static int add_all(reader *r) {
  int i = 0;
  for (int k = 0; k < r->h->shards.count; k++) {
    const struct hf_shard *s = &r->h->shards.list[k];
    for (int m = 0; m < tern_safetensors_count(s->tensors); m++, i++) {
      const hf_place *place = &r->places[i];
      if (place->part == HF_UNUSED || place->part == HF_SCALE) continue;
      if (r->config.tied && strcmp(place->name, "output.weight") == 0) continue;
      if (add_tensor(r, s, tern_safetensors_at(s->tensors, m), place)) return TERN_FAILED;
    }
  }
  return 0;
}

static int add_factors(reader *r) {
  if (tern_hf_rope_factors(&r->config, &r->h->factors, r->e)) return TERN_FAILED;
  if (!r->h->factors) return 0;
  int n = r->config.head_dim / 2;
  r->tensors[r->count++] = (tern_gguf_tensor){.name = "rope_freqs.weight",
                                              .type = tern_dtype_by_id(TERN_DISK_F32),
                                              .dims = 1,
                                              .shape = {n, 1, 1, 1},
                                              .data = (const uint8_t *)r->h->factors,
                                              .bytes = (size_t)n * sizeof(float)};
  return 0;
}

/* The embedding must have the rows that config.json says: ids and logits hang on it. */
static int check_vocabulary(const reader *r) {
  const double vocab = json_number_value(json_object_get(r->config.text, "vocab_size"));
  bool head = false;
  for (int i = 0; i < r->count; i++) {
    const tern_gguf_tensor *t = &r->tensors[i];
    bool embedding = strcmp(t->name, "token_embd.weight") == 0, output = strcmp(t->name, "output.weight") == 0;
    head |= embedding ? r->config.tied : output;
    if ((!embedding && !output) || (double)t->shape[1] == vocab) continue;
    return tern_fail(r->e, TERN_FAILED, "%s: %s has %lld rows, but config.json says vocab_size %.0f", r->folder,
                     embedding ? "embed_tokens.weight" : "lm_head.weight", (long long)t->shape[1], vocab);
  }
  /* In this family's GGUF files the embedding is the head, whatever else is there. */
  if (!r->config.tied && head && tern_arch_find(r->config.family->arch)->head == TERN_HEAD_TIED) {
    return tern_fail(r->e, TERN_FAILED,
                     "%s: config.json says tie_word_embeddings false, but a %s model has no head of its own: only tied "
                     "ones can be run",
                     r->folder, r->config.family->arch);
  }
  const json_t *tie = json_object_get(r->config.text, "tie_word_embeddings");
  if (head || !json_is_false(tie) || json_object_get(r->config.root, "text_config")) return 0;
  return tern_fail(r->e, TERN_FAILED, "%s: lm_head.weight is missing, but config.json says tie_word_embeddings false",
                   r->folder);
}

/* The template for chats: a text, or a list of named ones, or a file beside. */
static void put_template(const reader *r, tern_gguf_writer *w) {
  char path[PATH_MAX];
  tern_error ignored; /* without a template the model still runs */
  size_t size, i;
  json_t *item;
  snprintf(path, sizeof path, "%s/chat_template.jinja", r->folder);
  char *text = access(path, R_OK) == 0 ? tern_file_read(path, MOST_TEMPLATE, &size, &ignored) : NULL;
  snprintf(path, sizeof path, "%s/tokenizer_config.json", r->folder);
  json_t *config = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL),
         *template = json_object_get(config, "chat_template");
  const char *chosen = text ? text : json_string_value(template);
  json_array_foreach(template, i, item) {
    const char *name = json_string_value(json_object_get(item, "name"));
    if (!chosen && name && strcmp(name, "default") == 0) chosen = json_string_value(json_object_get(item, "template"));
  }
  if (chosen) tern_gguf_put_text(w, "tokenizer.chat_template", chosen);
  json_decref(config);
  free(text);
}

/* How sentence-transformers pools: an embedding model's folder says it. */
static void put_pooling(const reader *r, tern_gguf_writer *w) {
  static const struct {
    const char *field;
    uint32_t type; /* as llama.cpp numbers them */
  } rows[] = {{"pooling_mode_mean_tokens", 1}, {"pooling_mode_cls_token", 2}, {"pooling_mode_lasttoken", 3}};
  char path[PATH_MAX], key[64];
  snprintf(path, sizeof path, "%s/1_Pooling/config.json", r->folder);
  json_t *config = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (!json_is_true(json_object_get(config, rows[i].field))) continue;
    snprintf(key, sizeof key, "%s.pooling_type", r->config.family->arch);
    tern_gguf_put_u32(w, key, rows[i].type);
    break;
  }
  json_decref(config);
}

static int put_keys(const reader *r, tern_gguf_writer *w) {
  static const char *const tokenizers[] = {"tokenizer.json", "tokenizer.model"};
  char path[PATH_MAX], name[PATH_MAX];
  snprintf(path, sizeof path, "%s", r->folder);
  snprintf(name, sizeof name, "%s", basename(path));
  if (tern_hf_config_put(&r->config, w, name, r->e)) return TERN_FAILED;
  put_template(r, w);
  put_pooling(r, w);
  for (size_t i = 0; i < sizeof tokenizers / sizeof *tokenizers; i++) {
    snprintf(path, sizeof path, "%s/%s", r->folder, tokenizers[i]);
    if (access(path, F_OK) != 0) continue;
    tern_gguf_put_text(w, "ternmark.tokenizer", path);
    break;
  }
  return 0;
}

static int read_config(reader *r, char **text, char *path, size_t path_size) {
  size_t size;
  snprintf(path, path_size, "%s/config.json", r->folder);
  if (access(path, F_OK) != 0) {
    return tern_fail(r->e, TERN_FAILED, "%s: no config.json here: not a Hugging Face model folder", r->folder);
  }
  *text = tern_file_read(path, MOST_CONFIG, &size, r->e);
  return *text ? tern_hf_config_read(&r->config, *text, size, path, r->e) : TERN_FAILED;
}

int tern_hf_open(tern_gguf **out, const char *folder, tern_error *e) {
  reader r = {.folder = folder, .e = e};
  tern_gguf_writer *keys = NULL;
  char path[PATH_MAX], *text = NULL;
  *out = NULL;
  int rc = TERN_FAILED;
  r.h = calloc(1, sizeof *r.h);
  if (!r.h) return tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  if (read_config(&r, &text, path, sizeof path)) goto out;
  if (tern_hf_shards_open(&r.h->shards, folder, e)) goto out;
  if (place_all(&r) || add_all(&r) || add_factors(&r) || check_vocabulary(&r)) goto out;
  if (tern_gguf_writer_memory(&keys, e)) goto out;
  if (put_keys(&r, keys)) {
    tern_gguf_writer_abandon(keys);
    goto out;
  }
  rc = tern_gguf_build(out, folder, keys, r.tensors, r.count, r.bytes,
                       (tern_gguf_keeper){.owner = r.h, .close = close_holder, .done = drop_pages}, e);
out:
  if (rc) close_holder(r.h);
  tern_hf_config_close(&r.config);
  free(r.places);
  free(r.tensors);
  free(text);
  return rc;
}
