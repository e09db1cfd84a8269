/* Export: what tern_net_prepare made of the weights, row by row through the
 * disk types. Keys are those that bitnet.cpp and llama.cpp insist on. */
#include "engine/train/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/train/merge.h"

enum { QUANTISATION_VERSION = 2 };

/* general.file_type as bitnet.cpp and llama.cpp number them; readers only print it. */
static const struct {
  uint32_t type, file_type;
} file_types[] = {{TERN_DISK_F32, 0},    {TERN_DISK_F16, 1},    {TERN_DISK_Q8_0, 7}, {TERN_DISK_BF16, 32},
                  {TERN_DISK_TQ1_0, 36}, {TERN_DISK_TQ2_0, 37}, {TERN_DISK_I2_S, 40}};

static uint32_t file_type_of(const tern_dtype *type) {
  for (size_t i = 0; i < sizeof file_types / sizeof *file_types; i++) {
    if (file_types[i].type == type->id) return file_types[i].file_type;
  }
  return 0;
}

static void put_keys(tern_gguf_writer *w, const tern_trainer *t, const tern_dtype *type) {
  const tern_net *n = &t->net;
  const tern_train_config *c = &t->config;
  const struct {
    const char *key;
    int value;
  } numbers[] = {{"context_length", n->context},
                 {"embedding_length", n->hidden},
                 {"block_count", n->layers},
                 {"feed_forward_length", n->ffn},
                 {"vocab_size", n->vocab},
                 {"attention.head_count", n->heads},
                 {"attention.head_count_kv", n->kv_heads},
                 {"attention.key_length", n->head_dim},
                 {"attention.value_length", n->head_dim},
                 {"rope.dimension_count", n->head_dim}};
  char key[128];
  tern_gguf_put_text(w, "general.architecture", c->arch);
  tern_gguf_put_text(w, "general.name", c->name);
  tern_gguf_put_u32(w, "general.file_type", file_type_of(type));
  tern_gguf_put_u32(w, "general.quantization_version", QUANTISATION_VERSION);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    snprintf(key, sizeof key, "%s.%s", c->arch, numbers[i].key);
    tern_gguf_put_u32(w, key, (uint32_t)numbers[i].value);
  }
  snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", c->arch);
  tern_gguf_put_f32(w, key, n->norm_eps);
  snprintf(key, sizeof key, "%s.rope.freq_base", c->arch);
  tern_gguf_put_f32(w, key, (float)c->rope_theta);
  tern_gguf_put_u64(w, "ternmark.train.step", (uint64_t)t->step);
  tern_gguf_put_u64(w, "ternmark.train.seed", (uint64_t)c->seed);
  if (type->id == TERN_DISK_I2_S) tern_gguf_put_text(w, "ternmark.i2s_layout", "128");
}

static const tern_dtype *type_of(const tern_param *p, const tern_dtype *body, const tern_dtype *head) {
  return p->matrix ? body : p->rows > 1 ? head : tern_dtype_by_id(TERN_DISK_F32);
}

static int check(const tern_trainer *t, const char *path, const tern_dtype *body, const tern_dtype *head,
                 tern_error *e) {
  if (body->ternary && !t->net.ternary)
    return tern_fail(e, TERN_FAILED, "%s: type %s is for ternary weights, which this model has not; take f16", path,
                     body->name);
  if ((body->ternary ? !body->put_codes : !body->put_floats) || !head->put_floats)
    return tern_fail(e, TERN_FAILED, "%s: type %s cannot be written", path, body->put_codes ? head->name : body->name);
  for (int i = 0; i < t->net.base_count; i++) {
    const tern_param *p = &t->net.params[i];
    const tern_dtype *type = type_of(p, body, head);
    if (p->cols % type->block == 0 && type->bytes(p->rows, p->cols) != SIZE_MAX) continue;
    return tern_fail(e, TERN_FAILED,
                     "%s: %s has %d columns, which type %s cannot hold (multiples of %d); take i2_s or f16", path,
                     p->name, p->cols, type->name, type->block);
  }
  return TERN_OK;
}

/* The parameter as the forward pass has it; codes of a linear layer by their place. */
static const float *values_of(const tern_net *n, const tern_param *p) {
  if (p->at == n->embedding) return n->table;
  return (p->matrix && n->values ? n->values : n->w) + p->at;
}

static void codes_of(const tern_net *n, int param, const int8_t **codes, float *scale) {
  for (int i = 0; i < n->layers * TERN_TRAIN_LINEARS; i++) {
    const tern_train_linear *l = &n->layer[i / TERN_TRAIN_LINEARS].linear[i % TERN_TRAIN_LINEARS];
    int row = 0;
    for (int k = 0; k < l->parts; k++) {
      if (l->first + k == param) {
        *codes = l->codes + (size_t)row * (size_t)l->cols;
        *scale = l->scale[row];
        return;
      }
      row += n->params[l->first + k].rows;
    }
  }
}

static int put_tensor(tern_gguf_writer *w, const tern_net *n, int param, const tern_dtype *type, int index,
                      tern_error *e) {
  const tern_param *p = &n->params[param];
  const size_t bytes = type->bytes(p->rows, p->cols);
  uint8_t *data = tern_alloc(bytes, "tensor for export", e);
  if (!data) return TERN_FAILED;
  if (type->ternary) {
    const int8_t *codes = NULL;
    float scale = 0;
    codes_of(n, param, &codes, &scale);
    type->put_codes(data, p->rows, p->cols, 0, p->rows, codes, scale);
  } else {
    type->put_floats(data, p->rows, p->cols, 0, p->rows, values_of(n, p));
  }
  int status = tern_gguf_writer_data(w, index, 0, data, bytes, e);
  tern_free(data, bytes);
  return status;
}

static int write_all(tern_gguf_writer *w, const tern_trainer *t, const tern_dtype *body, const tern_dtype *head,
                     tern_error *e) {
  const tern_net *n = &t->net;
  int status = tern_tokenizer_write(t->tokenizer, w, e), first = -1;
  for (int i = 0; i < n->base_count && status == TERN_OK; i++) {
    const tern_param *p = &n->params[i];
    const int64_t shape[2] = {p->cols, p->rows};
    int index = tern_gguf_put_tensor(w, p->name, type_of(p, body, head), p->rows > 1 ? 2 : 1, shape);
    if (first < 0) first = index;
  }
  if (status == TERN_OK) status = tern_gguf_writer_start(w, e);
  for (int i = 0; i < n->base_count && status == TERN_OK; i++)
    status = put_tensor(w, n, i, type_of(&n->params[i], body, head), first + i, e);
  return status;
}

int tern_train_export(tern_trainer *t, const char *path, const tern_dtype *type, const tern_dtype *head,
                      tern_error *e) {
  const tern_dtype *body = type ? type : tern_dtype_by_id(t->net.ternary ? TERN_DISK_I2_S : TERN_DISK_F16);
  atomic_int next = 0;
  tern_gguf_writer *w;
  if (!head) head = tern_dtype_by_id(TERN_DISK_F16);
  if (check(t, path, body, head, e) != TERN_OK || tern_gguf_writer_open(&w, path, e) != TERN_OK) return TERN_FAILED;
  tern_train_merged merged;
  const bool floats = t->net.ternary && !body->ternary;
  if (t->net.rank > 0 && !floats && tern_train_merge(t, &merged, e) != TERN_OK) {
    tern_gguf_writer_abandon(w);
    return TERN_FAILED;
  }
  tern_net_prepare(&t->net, &next);
  for (int i = 0; floats && i < t->net.base_count; i++) {
    const tern_param *p = &t->net.params[i];
    if (p->matrix) tern_adapter_add(&t->net, p, t->net.values + p->at);
  }
  put_keys(w, t, body);
  if (write_all(w, t, body, head, e) != TERN_OK) {
    tern_gguf_writer_abandon(w);
    return TERN_FAILED;
  }
  return tern_gguf_writer_finish(w, e);
}
