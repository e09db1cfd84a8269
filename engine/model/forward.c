/* The forward pass, written once for every architecture and weight layout.
 * Invariant: every float that reaches a logit is computed by one member in one
 * written order, so neither the team's size nor the split into chunks, nor what
 * other sequences a chunk holds, shows in the result. */
#include "engine/model/forward.h"

#include <math.h>
#include <string.h>

typedef struct pass {
  const tern_forward *f;
  tern_workspace *s;
  const tern_model *m;
  const tern_vec *vec;
  tern_lane *lane;
  const tern_input *in; /* the lane's for a single token, else the session's */
  float *x;             /* likewise */
  int member, size;
  int lo, hi; /* tokens of this member in stages that go by token */
} pass;

/* One scale and sum for the row, or for each block of columns. */
static void quantise(const tern_vec *vec, const tern_input *in, int slot, const tern_matrix *m, const float *x) {
  int stride = (int)tern_matrix_x_stride(m), blocks = (int)tern_matrix_x_blocks(m), width = stride / blocks;
  int8_t *q = (int8_t *)in->data + (size_t)slot * (size_t)stride;
  float *scale = in->scale + (size_t)slot * (size_t)blocks;
  int32_t *sum = in->sum + (size_t)slot * (size_t)blocks;
  for (int b = 0; b < blocks; b++) {
    int first = b * width, left = m->cols - first, have = left < 0 ? 0 : left < width ? left : width;
    scale[b] = vec->quantise(q + first, x + first, have, width, &sum[b]);
  }
}

void tern_feed(const tern_forward *f, tern_lane *l, const tern_input *in, int slot, const tern_matrix *m,
               const float *x, const tern_step steps[2]) {
  const tern_model_facts *facts = &f->s->model->facts;
  const tern_vec *vec = f->s->model->vec;
  size_t stride = tern_matrix_x_stride(m), n = (size_t)m->cols;
  bool floats = m->layout->kind == TERN_KIND_FLOAT;
  float *to = floats ? (float *)in->data + (size_t)slot * stride : l->row;
  for (int i = 0; i < 2; i++) {
    tern_norm norm = steps[i].norm;
    if (norm == TERN_NORM_NONE || (norm == TERN_NORM_WHERE_HAD && !steps[i].gain)) continue;
    double eps = norm == TERN_NORM_BARE ? facts->arch->norm_eps_bare : facts->eps;
    vec->rmsnorm(to, x, norm == TERN_NORM_BARE ? NULL : steps[i].gain, m->cols, (float)eps);
    x = to;
    tern_mark(l, TERN_OP_NORM);
  }
  if (floats) {
    if (x != to) memcpy(to, x, n * sizeof(float));
    memset(to + n, 0, (stride - n) * sizeof(float));
  } else {
    quantise(vec, in, slot, m, x);
  }
  tern_mark(l, TERN_OP_QUANTISE);
}

static void multiply(const pass *p, tern_operator op, const tern_product *products, int count) {
  tern_multiply(p->s, op, products, count, p->in, p->f->tokens, p->member, p->size);
}

/* After a stage split over tokens; a single token is every member's own. */
static void join_tokens(const pass *p) {
  if (p->f->tokens > 1) tern_meet(p->s, p->lane);
}

static void embed(const pass *p) {
  const tern_matrix *table = p->m->embedding.data ? &p->m->embedding : &p->m->head;
  size_t hidden = (size_t)p->m->facts.hidden;
  for (int t = p->lo; t < p->hi; t++) {
    float *x = p->x + (size_t)t * hidden;
    tern_matrix_row(table, p->f->ids[t], x, p->lane->canonical);
    if (p->m->facts.embedding_scale != 1) p->vec->scale(x, (float)p->m->facts.embedding_scale, (int)hidden);
  }
}

/* Angles of the chunk's positions, in double. */
static void prepare_rope(const pass *p) {
  int half = p->m->facts.rotated / 2, lo, hi;
  tern_split(p->f->tokens * half, 1, p->member, p->size, &lo, &hi);
  for (int k = 0; k < 2 && p->m->rope[k].rates; k++) {
    const tern_rope_table *table = &p->m->rope[k];
    for (int i = lo; i < hi; i++) {
      double sine, cosine;
      tern_sincos(tern_position_of(p->f, i / half) * table->rates[i % half], &sine, &cosine);
      p->s->sine[k][i] = (float)sine * table->size;
      p->s->cosine[k][i] = (float)cosine * table->size;
    }
  }
}

static tern_step step_of(const pass *p, const tern_layer *l, tern_norm_place place) {
  return (tern_step){p->m->facts.arch->norms[place], l->norms[place]};
}

void tern_add_branch(const tern_forward *f, const tern_lane *l, float *x, int token, const tern_branch *b) {
  const tern_model_facts *facts = &f->s->model->facts;
  const tern_vec *vec = f->s->model->vec;
  int hidden = facts->hidden;
  const float *result = f->s->projection + (size_t)token * (size_t)hidden;
  if (b->bias || b->gain || facts->residual_scale != 1) {
    memcpy(l->row, result, (size_t)hidden * sizeof(float));
    if (b->bias) vec->add(l->row, b->bias, hidden);
    if (b->gain) vec->rmsnorm(l->row, l->row, b->gain, hidden, (float)facts->eps);
    if (facts->residual_scale != 1) vec->scale(l->row, (float)facts->residual_scale, hidden);
    result = l->row;
  }
  vec->add(x, result, hidden);
}

/* Adds the pending branch (NULL: none) to the residual, then feeds norms of it. */
static void feed_residual(const pass *p, const tern_branch *pending, const tern_matrix *m, const tern_step steps[2]) {
  size_t hidden = (size_t)p->m->facts.hidden;
  for (int t = p->lo; t < p->hi; t++) {
    float *x = p->x + (size_t)t * hidden;
    if (pending) tern_add_branch(p->f, p->lane, x, t, pending);
    tern_feed(p->f, p->lane, p->in, t, m, x, steps);
  }
  join_tokens(p);
}

/* The first projections of a branch: fed together, or, with input norms, one by one. */
static void project(const pass *p, tern_operator op, const tern_branch *pending, const tern_product *products,
                    int count, const tern_step steps[][2], bool apart) {
  feed_residual(p, pending, products[0].m, steps[0]);
  if (!apart) {
    multiply(p, op, products, count);
    return;
  }
  multiply(p, op, products, 1);
  for (int i = 1; i < count; i++) {
    feed_residual(p, NULL, products[i].m, steps[i]);
    multiply(p, op, &products[i], 1);
  }
}

static tern_branch attention_branch(const tern_layer *l) {
  return (tern_branch){.bias = l->biases[TERN_O], .gain = l->norms[TERN_NORM_ATTN_POST]};
}
tern_branch tern_ffn_branch(const tern_layer *l) {
  return (tern_branch){.bias = l->biases[TERN_DOWN], .gain = l->norms[TERN_NORM_FFN_POST]};
}

static void attention_block(const pass *p, int layer) {
  const tern_layer *l = &p->m->layers[layer];
  tern_workspace *s = p->s;
  const tern_matrix *q = &l->w[TERN_Q], *k = &l->w[TERN_K], *v = &l->w[TERN_V], *o = &l->w[TERN_O];
  size_t width = s->qkv_width, query = (size_t)q->rows, kv = (size_t)k->rows;
  const tern_product qkv[] = {
      {q, s->qkv, width, NULL}, {k, s->qkv + query, width, NULL}, {v, s->qkv + query + kv, width, NULL}};
  const tern_step first = step_of(p, l, TERN_NORM_ATTN);
  const tern_step in[][2] = {{first, step_of(p, l, TERN_NORM_Q_IN)},
                             {first, step_of(p, l, TERN_NORM_K_IN)},
                             {first, step_of(p, l, TERN_NORM_V_IN)}};
  const tern_step sub[2] = {step_of(p, l, TERN_NORM_ATTN_SUB)};
  const tern_branch before = layer ? tern_ffn_branch(l - 1) : (tern_branch){0};
  project(p, TERN_OP_QKV, layer ? &before : NULL, qkv, 3, in, l->inputs[0]);
  tern_attention_store(p->f, layer, p->member, p->size);
  tern_mark(p->lane, TERN_OP_ROPE);
  tern_meet(s, p->lane);
  tern_attention(p->f, layer, p->member, p->size);
  tern_mark(p->lane, TERN_OP_ATTENTION);
  tern_meet(s, p->lane);
  for (int t = p->lo; t < p->hi; t++) {
    tern_feed(p->f, p->lane, p->in, t, o, s->attention + (size_t)t * query, sub);
  }
  join_tokens(p);
  multiply(p, TERN_OP_OUTPUT, &(tern_product){o, s->projection, (size_t)p->m->facts.hidden, NULL}, 1);
}

static void ffn_block(const pass *p, int layer) {
  const tern_layer *l = &p->m->layers[layer];
  const tern_matrix *gate = &l->w[TERN_GATE], *up = &l->w[TERN_UP], *down = &l->w[TERN_DOWN];
  tern_workspace *s = p->s;
  size_t ffn = (size_t)p->m->facts.ffn;
  void (*const activations[])(float *, const float *, const float *, int) = {
      [TERN_ACT_RELU2] = p->vec->relu2_mul, [TERN_ACT_SILU] = p->vec->silu_mul, [TERN_ACT_GELU] = p->vec->gelu_mul};
  const tern_product gate_up[] = {{gate, s->gate, ffn, NULL}, {up, s->up, ffn, NULL}};
  const tern_step first = step_of(p, l, TERN_NORM_FFN);
  const tern_step in[][2] = {{first, step_of(p, l, TERN_NORM_GATE_IN)}, {first, step_of(p, l, TERN_NORM_UP_IN)}};
  const tern_step sub[2] = {step_of(p, l, TERN_NORM_FFN_SUB)};
  const tern_branch before = attention_branch(l);
  project(p, TERN_OP_GATE_UP, &before, gate_up, 2, in, l->inputs[1]);
  for (int t = p->lo; t < p->hi; t++) {
    activations[p->m->facts.arch->activation](p->lane->row, s->gate + (size_t)t * ffn, s->up + (size_t)t * ffn,
                                              (int)ffn);
    tern_mark(p->lane, TERN_OP_ACTIVATION);
    tern_feed(p->f, p->lane, p->in, t, down, p->lane->row, sub);
  }
  join_tokens(p);
  multiply(p, TERN_OP_DOWN, &(tern_product){down, s->projection, (size_t)p->m->facts.hidden, NULL}, 1);
}

void tern_forward_job(void *arg, int member, int size) {
  const tern_forward *f = arg;
  tern_workspace *s = f->s;
  tern_lane *l = &s->lanes[member];
  bool single = f->tokens == 1;
  pass p = {.f = f,
            .s = s,
            .m = s->model,
            .vec = s->model->vec,
            .lane = l,
            .in = single ? &l->in : &s->in,
            .x = single ? l->x : s->x,
            .member = member,
            .size = size,
            .hi = 1};
  if (!single) tern_split(f->tokens, 1, member, size, &p.lo, &p.hi);
  l->best_id = -1;
  l->rescored = 0;
  l->bad = false;
  l->profile = s->profile ? tern_profile_lane_of(s->profile, member) : NULL;
  tern_mark(l, TERN_OP_START);
  embed(&p);
  tern_mark(l, TERN_OP_EMBED);
  prepare_rope(&p);
  tern_mark(l, TERN_OP_ROPE);
  for (int i = 0; i < s->model->facts.layers; i++) {
    attention_block(&p, i);
    ffn_block(&p, i);
  }
  if (f->wanted) tern_head_rows(f, p.x, member, size);
}
