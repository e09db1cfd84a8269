/* Starting from weights that are there: a checkpoint's masters, or a model
 * file's values, of whose codes and scales masters are made that give them again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/train/merge.h"
#include "engine/train/trainer_parts.h"

typedef struct source {
  const tern_gguf *g;
  tern_net *n;
  tern_i2s order;
  tern_error *e;
} source;

static int refuse(const source *s, const char *tensor, const char *why) {
  return tern_fail(s->e, TERN_FAILED, "%s: %s: %s", tern_gguf_name(s->g), tensor, why);
}

static int take_codes(const source *s, const tern_param *p, const tern_gguf_tensor *t) {
  const size_t size = (size_t)p->rows * (size_t)p->cols;
  int8_t *codes = tern_alloc(size, "matrix of the model file", s->e);
  float scale = 0, row_scale;
  int bad = 0;
  if (!codes) return TERN_FAILED;
  for (int r = 0; r < p->rows && !bad; r++) {
    bad = t->type->row_codes(t->data, p->rows, p->cols, r, s->order, codes + (size_t)r * (size_t)p->cols, &row_scale);
    if (r > 0 && row_scale != scale) bad = 1;
    scale = row_scale;
  }
  if (!bad) bad = tern_net_put_codes(s->n, p, codes, scale);
  tern_free(codes, size);
  return bad ? refuse(s, p->name, "not ternary with one scale that is an f16 number from 1e-5") : TERN_OK;
}

static int take_tensor(const source *s, const tern_param *p) {
  const tern_gguf_tensor *t = tern_gguf_tensor_find(s->g, p->name);
  if (!t) return refuse(s, p->name, "missing");
  if (t->shape[0] != p->cols || t->dims != (p->rows == 1 ? 1 : 2) || (t->dims == 2 && t->shape[1] != p->rows))
    return refuse(s, p->name, "of another shape than the configuration's");
  if (p->matrix && s->n->ternary && t->type->ternary) return take_codes(s, p, t);
  if (!t->type->row_floats) return refuse(s, p->name, "of a type that cannot be read");
  for (int r = 0; r < p->rows; r++)
    t->type->row_floats(t->data, p->rows, p->cols, r, s->order, s->n->w + p->at + (size_t)r * (size_t)p->cols);
  return TERN_OK;
}

static int check_keys(const source *s, const tern_train_config *c) {
  const struct {
    const char *key;
    double want;
  } keys[] = {{"attention.head_count", c->heads},
              {"attention.head_count_kv", c->kv_heads},
              {"block_count", c->layers},
              {"attention.layer_norm_rms_epsilon", (double)TERN_TRAIN_EPS},
              {"rope.freq_base", c->rope_theta}};
  tern_gguf_string arch;
  if (!tern_gguf_text(s->g, "general.architecture", &arch) || arch.size != strlen(c->arch) ||
      memcmp(arch.data, c->arch, arch.size) != 0)
    return refuse(s, "general.architecture", "not the configuration's model.arch");
  if (tern_gguf_tensor_find(s->g, "output.weight"))
    return refuse(s, "output.weight", "a head of its own, which models in training have not");
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    char key[160], why[96];
    double found = 0;
    snprintf(key, sizeof key, "%s.%s", c->arch, keys[i].key);
    if (tern_gguf_real(s->g, key, &found) && (float)found == (float)keys[i].want) continue;
    snprintf(why, sizeof why, "%.9g, the configuration has %.9g", found, keys[i].want);
    return refuse(s, key, why);
  }
  return TERN_OK;
}

/* The same tokens at the same places. */
static int check_vocabulary(const source *s, const tern_trainer *t) {
  static const char key[] = "tokenizer.ggml.tokens";
  tern_gguf *own;
  int64_t count = 0, other = 0;
  if (tern_gguf_parse(&own, (const uint8_t *)t->vocabulary, t->vocabulary_size, t->config.tokenizer, s->e) != TERN_OK)
    return TERN_FAILED;
  tern_gguf_string *a = tern_gguf_texts(s->g, key, &count), *b = tern_gguf_texts(own, key, &other);
  bool same = a && b && count == other;
  for (int64_t i = 0; same && i < count; i++)
    same = a[i].size == b[i].size && memcmp(a[i].data, b[i].data, a[i].size) == 0;
  free(a);
  free(b);
  tern_gguf_close(own);
  return same ? TERN_OK : refuse(s, key, "another vocabulary than the configuration's tokenizer");
}

static int start_from_model(tern_trainer *t, const char *path, tern_error *e) {
  tern_gguf *g;
  if (tern_gguf_open(&g, path, e) != TERN_OK) return TERN_FAILED;
  const source s = {.g = g, .n = &t->net, .order = tern_gguf_i2s_order(g), .e = e};
  int status = check_keys(&s, &t->config);
  if (status == TERN_OK && s.order == TERN_I2S_AUTO) status = refuse(&s, "ternmark.i2s_layout", "not known");
  if (status == TERN_OK) status = check_vocabulary(&s, t);
  for (int i = 0; i < t->net.base_count && status == TERN_OK; i++) status = take_tensor(&s, &t->net.params[i]);
  tern_gguf_close(g);
  return status;
}

int tern_trainer_start_from(tern_trainer *t, const char *path, tern_error *e) {
  char start[4] = "";
  FILE *f = fopen(path, "re");
  if (!f) return tern_fail_errno(e, "%s", path);
  const bool model = fread(start, 1, sizeof start, f) == sizeof start && memcmp(start, "GGUF", sizeof start) == 0;
  fclose(f);
  return (model ? start_from_model : tern_trainer_start_from_checkpoint)(t, path, e);
}
