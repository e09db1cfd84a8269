/* Writing and reading of adapters. */
#include "engine/train/adapter_file.h"

#include <stdio.h>
#include <string.h>

#include "engine/train/merge.h"

static const char alpha_key[] = "adapter.lora.alpha", base_key[] = "ternmark.lora.base";

static int put_all(tern_gguf_writer *w, const tern_net *n, tern_error *e) {
  int first = -1;
  for (int i = n->base_count; i < n->param_count; i++) {
    const tern_param *p = &n->params[i];
    const int64_t shape[2] = {p->cols, p->rows};
    const int index = tern_gguf_put_tensor(w, p->name, tern_dtype_by_id(TERN_DISK_F32), 2, shape);
    if (first < 0) first = index;
  }
  int status = tern_gguf_writer_start(w, e);
  for (int i = n->base_count; i < n->param_count && status == TERN_OK; i++) {
    const tern_param *p = &n->params[i];
    status = tern_gguf_writer_data(w, first + i - n->base_count, 0, n->w + p->at,
                                   (size_t)p->rows * (size_t)p->cols * sizeof(float), e);
  }
  return status;
}

int tern_adapters_write(tern_trainer *t, const char *path, tern_error *e) {
  atomic_int next = 0;
  tern_gguf_writer *w;
  if (t->net.rank == 0) return tern_fail(e, TERN_FAILED, "%s: the checkpoint has no adapters to write", path);
  if (tern_gguf_writer_open(&w, path, e) != TERN_OK) return TERN_FAILED;
  tern_net_prepare(&t->net, &next);
  tern_gguf_put_text(w, "general.type", "adapter");
  tern_gguf_put_text(w, "general.architecture", t->config.arch);
  tern_gguf_put_text(w, "general.name", t->config.name);
  tern_gguf_put_text(w, "adapter.type", "lora");
  tern_gguf_put_f32(w, alpha_key, (float)t->config.lora_alpha);
  tern_gguf_put_u64(w, base_key, tern_net_fingerprint(&t->net));
  if (put_all(w, &t->net, e) == TERN_OK) return tern_gguf_writer_finish(w, e);
  tern_gguf_writer_abandon(w);
  return TERN_FAILED;
}

int tern_adapters_describe(const tern_gguf *g, tern_train_config *c, tern_error *e) {
  tern_gguf_string kind;
  const char *name = tern_gguf_name(g);
  if (!tern_gguf_text(g, "adapter.type", &kind) || kind.size != 4 || memcmp(kind.data, "lora", 4) != 0 ||
      !tern_gguf_real(g, alpha_key, &c->lora_alpha))
    return tern_fail(e, TERN_FAILED, "%s: not a file of LoRA adapters (adapter.type, %s)", name, alpha_key);
  c->lora_targets = 0;
  for (int i = 0; i < TERN_TRAIN_TARGETS; i++) {
    char tensor[64];
    snprintf(tensor, sizeof tensor, "blk.0.%s.weight.lora_a", tern_train_targets[i]);
    const tern_gguf_tensor *a = tern_gguf_tensor_find(g, tensor);
    if (!a) continue;
    if (a->dims != 2 || a->shape[1] < 1 || a->shape[1] > 1024)
      return tern_fail(e, TERN_FAILED, "%s: %s: want two dimensions and a rank from 1 to 1024", name, tensor);
    c->lora_targets |= 1U << i;
    c->lora_rank = (int)a->shape[1];
  }
  return c->lora_targets ? TERN_OK : tern_fail(e, TERN_FAILED, "%s: no adapters of the first layer", name);
}

int tern_adapters_read(const tern_gguf *g, tern_net *n, tern_error *e) {
  const char *name = tern_gguf_name(g);
  int64_t base = 0;
  atomic_int next = 0;
  for (int i = n->base_count; i < n->param_count; i++) {
    const tern_param *p = &n->params[i];
    const tern_gguf_tensor *t = tern_gguf_tensor_find(g, p->name);
    if (!t || t->dims != 2 || t->shape[0] != p->cols || t->shape[1] != p->rows || !t->type->row_floats)
      return tern_fail(e, TERN_FAILED, "%s: %s: want %d x %d numbers", name, p->name, p->cols, p->rows);
    for (int r = 0; r < p->rows; r++)
      t->type->row_floats(t->data, p->rows, p->cols, r, TERN_I2S_128, n->w + p->at + (size_t)r * (size_t)p->cols);
  }
  if (tern_gguf_tensor_count(g) != n->param_count - n->base_count)
    return tern_fail(e, TERN_FAILED, "%s: holds %d tensors, the base takes %d", name, tern_gguf_tensor_count(g),
                     n->param_count - n->base_count);
  tern_net_prepare(n, &next);
  if (!tern_gguf_integer(g, base_key, &base) || (uint64_t)base != tern_net_fingerprint(n))
    return tern_fail(e, TERN_FAILED, "%s: made for another base (%s)", name, base_key);
  return TERN_OK;
}
