/* Opening of a training run, and its step: weights are prepared, slices go
 * forward and back, gradients are added slice by slice in their order, and
 * AdamW updates. Who does which slice is decided as they come; no sum depends
 * on it. */
#include "engine/train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/train/trainer_parts.h"

enum { BLOCK = 4096, VOCABULARY_LIMIT = 1 << 28 };

static int count_blocks(const tern_net *n) {
  size_t count = 0;
  for (int i = 0; i < n->param_count; i++)
    count += tern_param_learns(n, i) * ((size_t)n->params[i].rows * (size_t)n->params[i].cols + BLOCK - 1) / BLOCK;
  return (int)count;
}

static void fill_blocks(tern_trainer *t) {
  const tern_net *n = &t->net;
  int count = 0;
  for (int i = 0; i < n->param_count; i++) {
    const tern_param *p = &n->params[i];
    const size_t size = tern_param_learns(n, i) ? (size_t)p->rows * (size_t)p->cols : 0;
    for (size_t at = 0; at < size; at += BLOCK)
      t->blocks[count++] = (tern_train_block){
          .at = p->at + at, .size = (int)(size - at < BLOCK ? size - at : BLOCK), .decays = p->rows > 1 || p->part};
  }
}

/* Moments and gradients in one block, whole cache lines each. */
static int open_arenas(tern_trainer *t, tern_error *e) {
  const size_t arena = (t->net.size * sizeof(float) + 63) / 64 * 64;
  t->memory_bytes = tern_mul(arena, (size_t)t->config.slices + 2);
  t->memory = tern_alloc(t->memory_bytes, "moments and gradients", e);
  if (!t->memory) return TERN_FAILED;
  char *base = t->memory;
  t->m = (float *)base;
  t->v = (float *)(base + arena);
  for (int i = 0; i < t->config.slices; i++) t->grads[i] = (float *)(base + (size_t)(i + 2) * arena);
  return TERN_OK;
}

static int open_state(tern_trainer *t, tern_error *e) {
  t->block_count = count_blocks(&t->net);
  t->grads = calloc((size_t)t->config.slices, sizeof *t->grads);
  t->losses = calloc((size_t)t->config.slices, sizeof *t->losses);
  t->blocks = calloc((size_t)t->block_count, sizeof *t->blocks);
  t->squares = calloc((size_t)t->block_count, sizeof *t->squares);
  if (!t->grads || !t->losses || !t->blocks || !t->squares) return tern_fail(e, TERN_FAILED, "training: out of memory");
  fill_blocks(t);
  return open_arenas(t, e);
}

static int open_team(tern_trainer *t, int threads, tern_error *e) {
  if (tern_team_open(&t->team, threads, NULL, e) != TERN_OK) return TERN_FAILED;
  t->desks = calloc((size_t)threads, sizeof(tern_desk *));
  if (!t->desks) return tern_fail(e, TERN_FAILED, "training: out of memory");
  for (int i = 0; i < threads; i++) {
    if (tern_desk_open(&t->desks[i], &t->net, t->batch.capacity, e) != TERN_OK) return TERN_FAILED;
  }
  return TERN_OK;
}

int tern_trainer_build(tern_trainer *t, int threads, tern_isa cap, bool data, tern_error *e) {
  tern_gguf *g = NULL;
  tern_train_config *c = &t->config;
  tern_error none = {0};
  int status = tern_gguf_parse(&g, (const uint8_t *)t->vocabulary, t->vocabulary_size, c->tokenizer, e);
  if (status == TERN_OK) status = tern_tokenizer_from_gguf(&t->tokenizer, g, e);
  if (status == TERN_OK && !c->chat && tern_gguf_has(g, "tokenizer.chat_template"))
    tern_chat_template_of(g, NULL, &c->chat, &none); /* one that is not known matters to messages only */
  tern_gguf_close(g);
  if (status != TERN_OK) return status;
  if (tern_net_open(&t->net, c, tern_tokenizer_size(t->tokenizer), cap, e) != TERN_OK) return TERN_FAILED;
  if (open_state(t, e) != TERN_OK || tern_batch_open(&t->batch, c->slices, c->batch_tokens, c->context, e) != TERN_OK ||
      open_team(t, threads, e) != TERN_OK)
    return TERN_FAILED;
  if (data && tern_dataset_read(&t->data, c, &c->train, t->tokenizer, e) != TERN_OK) return TERN_FAILED;
  if (data && c->eval.count) return tern_dataset_read(&t->held, c, &c->eval, t->tokenizer, e);
  return TERN_OK;
}

int tern_trainer_open(tern_trainer *t, const tern_train_config *c, int threads, tern_isa cap, tern_error *e) {
  *t = (tern_trainer){.watch = {.base = NAN, .best = INFINITY}};
  if (tern_train_config_parse(&t->config, c->text, "configuration", e) != TERN_OK) return TERN_FAILED;
  t->vocabulary = tern_file_read(c->tokenizer, VOCABULARY_LIMIT, &t->vocabulary_size, e);
  if (!t->vocabulary || tern_trainer_build(t, threads, cap, true, e) != TERN_OK) {
    tern_trainer_close(t);
    return TERN_FAILED;
  }
  tern_net_start(&t->net, &t->config);
  if (t->config.from[0] && tern_trainer_start_from(t, t->config.from, e) != TERN_OK) {
    tern_trainer_close(t);
    return TERN_FAILED;
  }
  return TERN_OK;
}

void tern_trainer_close(tern_trainer *t) {
  for (int i = 0; t->desks && t->team && i < tern_team_size(t->team); i++) tern_desk_close(t->desks[i]);
  if (t->team) tern_team_close(t->team);
  free(t->desks);
  tern_batch_close(&t->batch);
  tern_dataset_close(&t->data);
  tern_dataset_close(&t->held);
  tern_net_close(&t->net);
  tern_tokenizer_close(t->tokenizer);
  tern_train_config_close(&t->config);
  free(t->order.order);
  free(t->vocabulary);
  free(t->grads);
  free(t->losses);
  free(t->blocks);
  free(t->squares);
  tern_free(t->memory, t->memory_bytes);
  *t = (tern_trainer){0};
}
