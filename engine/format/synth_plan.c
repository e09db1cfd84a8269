/* Which tensors a synthetic model has: of all that a layer may have, those of
 * its family's row in arch.c. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/format/synth_private.h"

typedef enum kind { WEIGHT, BIAS, NORM } kind;

/* A layer's tensors as they lie in the file; the index is the id of a tensor's
 * random numbers, so that rows are never moved or used again. */
static const struct layer_tensor {
  kind kind;
  int which; /* tern_projection or tern_norm_place */
} layer_tensors[] = {
    {NORM, TERN_NORM_ATTN},   {WEIGHT, TERN_Q},
    {WEIGHT, TERN_K},         {WEIGHT, TERN_V},
    {BIAS, TERN_Q},           {BIAS, TERN_K},
    {BIAS, TERN_V},           {NORM, TERN_NORM_Q_HEAD},
    {NORM, TERN_NORM_K_HEAD}, {NORM, TERN_NORM_ATTN_SUB},
    {WEIGHT, TERN_O},         {NORM, TERN_NORM_ATTN_POST},
    {NORM, TERN_NORM_FFN},    {WEIGHT, TERN_GATE},
    {WEIGHT, TERN_UP},        {NORM, TERN_NORM_FFN_SUB},
    {WEIGHT, TERN_DOWN},      {NORM, TERN_NORM_FFN_POST},
    {NORM, TERN_NORM_Q_IN},   {NORM, TERN_NORM_K_IN},
    {NORM, TERN_NORM_V_IN},   {NORM, TERN_NORM_GATE_IN},
    {NORM, TERN_NORM_UP_IN},  {BIAS, TERN_O},
};
enum { LAYER_TENSORS = sizeof layer_tensors / sizeof *layer_tensors, STREAMS_A_LAYER = 64, GLOBAL_TENSORS = 4 };
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

tern_synth_shape tern_synth_shrunk(const tern_synth_shape *shape) {
  enum { HEADS = 8, WIDTH = 256, WINDOW = 16 };
  const tern_arch *arch = tern_arch_find(shape->arch);
  tern_synth_shape s = *shape;
  bool wide = shape->heads * shape->head_dim != shape->hidden; /* heads together have another width */
  s.layers = arch && arch->window_period ? arch->window_period + 1 : 2;
  s.hidden = WIDTH;
  s.ffn = 2 * WIDTH;
  s.heads = HEADS;
  for (s.kv_heads = HEADS; s.kv_heads > 1 && HEADS / s.kv_heads < shape->heads / shape->kv_heads;) s.kv_heads /= 2;
  s.head_dim = WIDTH / HEADS * (wide ? 2 : 1);
  s.vocab = 512;
  s.window = WINDOW;
  return s;
}

static int64_t extent(const tern_synth_shape *s, tern_dim d) {
  const int64_t query = (int64_t)s->heads * s->head_dim, kv = (int64_t)s->kv_heads * s->head_dim;
  const int64_t sizes[TERN_DIMS] = {[TERN_DIM_ONE] = 1,
                                    [TERN_DIM_HIDDEN] = s->hidden,
                                    [TERN_DIM_QUERY] = query,
                                    [TERN_DIM_KV] = kv,
                                    [TERN_DIM_FFN] = s->ffn,
                                    [TERN_DIM_VOCAB] = s->vocab,
                                    [TERN_DIM_HEAD] = s->head_dim,
                                    [TERN_DIM_ANGLES] = s->head_dim / 2};
  return sizes[d];
}

/* A tensor without its name. */
typedef struct made {
  synth_fill fill;
  tern_dim rows, cols;
  uint64_t stream;
} made;

static int add(synth_plan *p, const char *name, made what, tern_error *e) {
  synth_tensor *t = &p->tensors[p->count];
  int64_t rows = extent(&p->shape, what.rows), cols = extent(&p->shape, what.cols);
  *t = (synth_tensor){.fill = what.fill, .dims = what.rows == TERN_DIM_ONE ? 1 : 2, .stream = what.stream};
  snprintf(t->name, sizeof t->name, "%s", name);
  t->type = what.fill == FILL_TERNARY     ? p->type
            : what.fill == FILL_EMBEDDING ? p->head
                                          : tern_dtype_by_id(TERN_DISK_F32);
  if (rows > INT_MAX || cols > INT_MAX) return tern_fail(e, TERN_FAILED, "%s: %s: too large", p->shape.name, t->name);
  t->rows = (int)rows;
  t->cols = (int)cols;
  if (what.fill == FILL_TERNARY) {
    /* All branches together add a tenth of the embedding's variance, as a
     * residual stream keeps its direction in trained models: int8 rounding
     * then does not snowball over layers, and engines can be compared. */
    double size = what.rows == TERN_DIM_HIDDEN ? p->branch_size : 1;
    t->scale = tern_synth_scale(p->seed, what.stream, t->cols, size);
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

static bool has_norm(const synth_plan *p, tern_norm norm) {
  return norm == TERN_NORM_GAIN || (norm == TERN_NORM_WHERE_HAD && p->shape.input_norms);
}

/* The layer's tensor of that id, where the family has it. */
static int add_of_layer(synth_plan *p, int layer, int id, tern_error *e) {
  const struct layer_tensor *l = &layer_tensors[id];
  const tern_projection_form *form = &tern_projection_forms[l->kind == NORM ? 0 : l->which];
  const tern_norm_form *norm = &tern_norm_forms[l->kind == NORM ? l->which : 0];
  if (l->kind == BIAS && p->arch->biases[l->which] != TERN_BIAS_ALWAYS) return 0;
  if (l->kind == NORM && !has_norm(p, p->arch->norms[l->which])) return 0;
  made what = {.stream = (uint64_t)layer * STREAMS_A_LAYER + (uint64_t)id, .rows = TERN_DIM_ONE};
  if (l->kind == WEIGHT) {
    what.fill = FILL_TERNARY;
    what.rows = form->rows;
    what.cols = form->cols;
  } else {
    what.fill = l->kind == BIAS ? FILL_BIAS : FILL_NORM;
    what.cols = l->kind == BIAS ? form->rows : norm->size;
  }
  char name[sizeof p->tensors->name];
  const char *usual = l->kind == NORM ? norm->name : form->name;
  snprintf(name, sizeof name, "blk.%d.%s.%s", layer, tern_arch_name(p->arch, usual),
           l->kind == BIAS ? "bias" : "weight");
  return add(p, name, what, e);
}

static int add_all(synth_plan *p, tern_error *e) {
  const uint64_t first = global_stream;
  if (add(p, "token_embd.weight", (made){FILL_EMBEDDING, TERN_DIM_VOCAB, TERN_DIM_HIDDEN, first}, e) ||
      add(p, "output_norm.weight", (made){FILL_LAST_NORM, TERN_DIM_ONE, TERN_DIM_HIDDEN, first + 1}, e))
    return TERN_FAILED;
  if (!p->shape.tied && add(p, "output.weight", (made){FILL_EMBEDDING, TERN_DIM_VOCAB, TERN_DIM_HIDDEN, first + 2}, e))
    return TERN_FAILED;
  if (p->shape.llama3_factor > 0 &&
      add(p, "rope_freqs.weight", (made){FILL_ROPE, TERN_DIM_ONE, TERN_DIM_ANGLES, first + 3}, e))
    return TERN_FAILED;
  for (int layer = 0; layer < p->shape.layers; layer++) {
    for (int id = 0; id < LAYER_TENSORS; id++) {
      if (add_of_layer(p, layer, id, e)) return TERN_FAILED;
    }
  }
  return 0;
}

const tern_dtype *tern_synth_type(const tern_synth_shape *shape, const tern_synth_params *params) {
  return params->type ? params->type : tern_dtype_by_id(shape->full_precision ? TERN_DISK_F16 : TERN_DISK_I2_S);
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
                    .type = tern_synth_type(shape, params),
                    .head = params->head ? params->head : tern_dtype_by_id(TERN_DISK_F16),
                    .seed = params->seed,
                    .progress = params->progress};
  p->arch = tern_arch_find(s->arch);
  if (!p->arch) return tern_fail(e, TERN_FAILED, "%s: no generator for architecture \"%s\"", s->name, s->arch);
  if (params->layers > s->layers) {
    return tern_fail(e, TERN_FAILED, "%s has %d layers, not %d", s->name, s->layers, params->layers);
  }
  if (params->layers > 0) p->shape.layers = params->layers;
  if (check_types(p, e)) return TERN_FAILED;
  size_t count = tern_mul((size_t)s->layers, LAYER_TENSORS) + GLOBAL_TENSORS;
  p->tensors = calloc(count, sizeof *p->tensors);
  if (!p->tensors) return tern_fail(e, TERN_FAILED, "%s: out of memory", s->name);
  return add_all(p, e);
}
