/* Which tensors a synthetic model has: one table of a layer's tensors, one of
 * architectures that say which of them they have.
 * Source: what bitnet.cpp's and llama.cpp's loaders ask for. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/format/synth_archs.h"
#include "engine/format/synth_private.h"

typedef enum dimension { ONE, HIDDEN, QUERY, KEY, FFN, HEAD, VOCAB } dimension;

static const struct layer_tensor {
  const char *name;
  int id; /* of its random numbers: never reused */
  synth_fill fill;
  dimension rows, cols;
  unsigned part; /* architectures with this part have it; 0: all */
} layer_tensors[] = {
    {"attn_norm.weight", 0, FILL_NORM, ONE, HIDDEN, 0},
    {"attn_q.weight", 1, FILL_TERNARY, QUERY, HIDDEN, 0},
    {"attn_k.weight", 2, FILL_TERNARY, KEY, HIDDEN, 0},
    {"attn_v.weight", 3, FILL_TERNARY, KEY, HIDDEN, 0},
    {"attn_q.bias", 4, FILL_BIAS, ONE, QUERY, SYNTH_QKV_BIAS},
    {"attn_k.bias", 5, FILL_BIAS, ONE, KEY, SYNTH_QKV_BIAS},
    {"attn_v.bias", 6, FILL_BIAS, ONE, KEY, SYNTH_QKV_BIAS},
    {"attn_q_norm.weight", 7, FILL_NORM, ONE, HEAD, SYNTH_QK_NORM},
    {"attn_k_norm.weight", 8, FILL_NORM, ONE, HEAD, SYNTH_QK_NORM},
    {"attn_sub_norm.weight", 9, FILL_NORM, ONE, QUERY, SYNTH_SUB_NORM},
    {"attn_output.weight", 10, FILL_TERNARY, HIDDEN, QUERY, 0},
    {"post_attention_norm.weight", 11, FILL_NORM, ONE, HIDDEN, SYNTH_POST_NORM},
    {"ffn_norm.weight", 12, FILL_NORM, ONE, HIDDEN, 0},
    {"ffn_gate.weight", 13, FILL_TERNARY, FFN, HIDDEN, 0},
    {"ffn_up.weight", 14, FILL_TERNARY, FFN, HIDDEN, 0},
    {"ffn_sub_norm.weight", 15, FILL_NORM, ONE, FFN, SYNTH_SUB_NORM},
    {"ffn_down.weight", 16, FILL_TERNARY, HIDDEN, FFN, 0},
    {"post_ffw_norm.weight", 17, FILL_NORM, ONE, HIDDEN, SYNTH_POST_NORM},
};
enum { LAYER_TENSORS = sizeof layer_tensors / sizeof *layer_tensors, STREAMS_A_LAYER = 64, GLOBAL_TENSORS = 3 };
static const uint64_t global_stream = UINT64_C(1) << 62;

const tern_synth_shape tern_synth_tiny = {.name = "tiny",
                                          .arch = "bitnet-b1.58",
                                          .layers = 2,
                                          .hidden = 256,
                                          .ffn = 512,
                                          .heads = 4,
                                          .kv_heads = 2,
                                          .head_dim = 64,
                                          .vocab = 512,
                                          .rope_theta = 10000,
                                          .tied = true};

static int64_t extent(const tern_synth_shape *s, dimension d) {
  switch (d) {
  case HIDDEN:
    return s->hidden;
  case QUERY:
    return (int64_t)s->heads * s->head_dim;
  case KEY:
    return (int64_t)s->kv_heads * s->head_dim;
  case FFN:
    return s->ffn;
  case HEAD:
    return s->head_dim;
  case VOCAB:
    return s->vocab;
  default:
    return 1;
  }
}

static int add(synth_plan *p, const struct layer_tensor *what, int layer, uint64_t stream, tern_error *e) {
  synth_tensor *t = &p->tensors[p->count];
  int64_t rows = extent(&p->shape, what->rows), cols = extent(&p->shape, what->cols);
  *t = (synth_tensor){.fill = what->fill, .dims = what->rows == ONE ? 1 : 2, .stream = stream};
  if (layer < 0) {
    snprintf(t->name, sizeof t->name, "%s", what->name);
  } else {
    snprintf(t->name, sizeof t->name, "blk.%d.%s", layer, what->name);
  }
  t->type = what->fill == FILL_TERNARY     ? p->type
            : what->fill == FILL_EMBEDDING ? p->head
                                           : tern_dtype_by_id(TERN_DISK_F32);
  if (rows > INT_MAX || cols > INT_MAX) return tern_fail(e, TERN_FAILED, "%s: %s: too large", p->shape.name, t->name);
  t->rows = (int)rows;
  t->cols = (int)cols;
  if (what->fill == FILL_TERNARY) {
    /* All branches together add a tenth of the embedding's variance, as a
     * residual stream keeps its direction in trained models: int8 rounding
     * then does not snowball over layers, and engines can be compared. */
    double size = what->rows == HIDDEN ? p->branch_size : 1;
    t->scale = tern_synth_scale(p->seed, stream, t->cols, size);
  }
  size_t bytes = t->type->bytes(rows, cols);
  if (cols % t->type->block || bytes > SIZE_MAX / 2 - p->bytes) {
    return tern_fail(e, TERN_FAILED,
                     "%s: %s has %lld columns, which type %s cannot hold (multiples of %d); "
                     "take i2_s, q8_0, f16 or bf16",
                     p->shape.name, t->name, (long long)cols, t->type->name, t->type->block);
  }
  t->chunk0 = p->chunks;
  p->chunks += (rows + SYNTH_CHUNK - 1) / SYNTH_CHUNK;
  p->bytes += (bytes + 31) / 32 * 32;
  p->count++;
  return 0;
}

static int add_all(synth_plan *p, const synth_arch *arch, tern_error *e) {
  static const struct layer_tensor globals[GLOBAL_TENSORS] = {
      {"token_embd.weight", 0, FILL_EMBEDDING, VOCAB, HIDDEN, 0},
      {"output_norm.weight", 1, FILL_LAST_NORM, ONE, HIDDEN, 0},
      {"output.weight", 2, FILL_EMBEDDING, VOCAB, HIDDEN, 0},
  };
  for (int i = 0; i < GLOBAL_TENSORS - p->shape.tied; i++) {
    if (add(p, &globals[i], -1, global_stream + (uint64_t)globals[i].id, e)) return TERN_FAILED;
  }
  for (int layer = 0; layer < p->shape.layers; layer++) {
    for (int i = 0; i < LAYER_TENSORS; i++) {
      const struct layer_tensor *what = &layer_tensors[i];
      if (what->part && !(arch->parts & what->part)) continue;
      if (add(p, what, layer, (uint64_t)layer * STREAMS_A_LAYER + (uint64_t)what->id, e)) return TERN_FAILED;
    }
  }
  return 0;
}

static int check_types(const synth_plan *p, tern_error *e) {
  if (!p->head->put_floats) {
    return tern_fail(e, TERN_FAILED, "type %s is for ternary matrices; a head can be f16, bf16, f32, q8_0 or q6_k",
                     p->head->name);
  }
  if (!p->type->put_codes && p->type->id == TERN_DISK_Q6_K) {
    return tern_fail(e, TERN_FAILED,
                     "type Q6_K cannot hold the values of a ternary matrix; take i2_s, tq2_0, tq1_0, "
                     "q8_0, f16, bf16 or f32");
  }
  return 0;
}

int tern_synth_plan(synth_plan *p, const tern_synth_shape *shape, const tern_synth_params *params, tern_error *e) {
  const tern_synth_shape *s = &p->shape;
  *p = (synth_plan){.shape = *shape,
                    .branch_size = sqrt(0.1 / (2.0 * shape->layers)),
                    .type = params->type ? params->type : tern_dtype_by_id(TERN_DISK_I2_S),
                    .head = params->head ? params->head : tern_dtype_by_id(TERN_DISK_F16),
                    .seed = params->seed,
                    .progress = params->progress};
  const synth_arch *arch = tern_synth_arch(s->arch);
  if (!arch) return tern_fail(e, TERN_FAILED, "%s: no generator for architecture \"%s\"", s->name, s->arch);
  if (params->layers > s->layers) {
    return tern_fail(e, TERN_FAILED, "%s has %d layers, not %d", s->name, s->layers, params->layers);
  }
  if (params->layers > 0) p->shape.layers = params->layers;
  if (check_types(p, e)) return TERN_FAILED;
  size_t count = tern_mul((size_t)s->layers, LAYER_TENSORS) + GLOBAL_TENSORS;
  p->tensors = calloc(count, sizeof *p->tensors);
  if (!p->tensors) return tern_fail(e, TERN_FAILED, "%s: out of memory", s->name);
  return add_all(p, arch, e);
}
