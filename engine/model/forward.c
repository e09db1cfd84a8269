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

void tern_feed(const tern_forward *f, tern_lane *l, const tern_input *in, int slot, const tern_matrix *m,
               const float *x, tern_norm norm, const float *gain) {
  const tern_model_facts *facts = &f->s->model->facts;
  const tern_vec *vec = f->s->model->vec;
  size_t stride = tern_matrix_x_stride(m), n = (size_t)m->cols;
  bool floats = m->layout->kind == TERN_KIND_FLOAT;
  float *to = floats ? (float *)in->data + (size_t)slot * stride : l->row;
  if (norm != TERN_NORM_NONE) {
    double eps = norm == TERN_NORM_BARE ? facts->arch->norm_eps_bare : facts->eps;
    vec->rmsnorm(to, x, norm == TERN_NORM_GAIN ? gain : NULL, m->cols, (float)eps);
    x = to;
    tern_mark(l, TERN_OP_NORM);
  }
  if (floats) {
    if (x != to) memcpy(to, x, n * sizeof(float));
    memset(to + n, 0, (stride - n) * sizeof(float));
  } else {
    int8_t *q = (int8_t *)in->data + (size_t)slot * stride;
    in->scale[slot] = vec->quantise(q, x, m->cols, (int)stride, &in->sum[slot]);
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
    tern_matrix_row(table, p->f->ids[t], p->x + (size_t)t * hidden, p->lane->canonical);
  }
}

/* Angles of the chunk's positions: position * theta^(-2i / head_dim), in double. */
static void prepare_rope(const pass *p) {
  const tern_model_facts *facts = &p->m->facts;
  int half = facts->head_dim / 2, lo, hi;
  double log_theta = tern_log(facts->rope_theta);
  tern_split(p->f->tokens * half, 1, p->member, p->size, &lo, &hi);
  for (int i = lo; i < hi; i++) {
    double sine, cosine, rate = tern_exp(-log_theta * (2.0 * (i % half) / facts->head_dim));
    tern_sincos(tern_position_of(p->f, i / half) * rate, &sine, &cosine);
    p->s->sine[i] = (float)sine;
    p->s->cosine[i] = (float)cosine;
  }
}

/* Adds the pending projection to the residual, then feeds the norm of it. */
static void feed_residual(const pass *p, bool pending, const tern_matrix *m, tern_norm norm, const float *gain) {
  size_t hidden = (size_t)p->m->facts.hidden;
  for (int t = p->lo; t < p->hi; t++) {
    float *x = p->x + (size_t)t * hidden;
    if (pending) p->vec->add(x, p->s->projection + (size_t)t * hidden, (int)hidden);
    tern_feed(p->f, p->lane, p->in, t, m, x, norm, gain);
  }
  join_tokens(p);
}

static void attention_block(const pass *p, int layer) {
  const tern_layer *l = &p->m->layers[layer];
  const tern_arch *arch = p->m->facts.arch;
  tern_workspace *s = p->s;
  size_t width = s->qkv_width, query = (size_t)l->q.rows, kv = (size_t)l->k.rows;
  const tern_product qkv[] = {
      {&l->q, s->qkv, width, NULL}, {&l->k, s->qkv + query, width, NULL}, {&l->v, s->qkv + query + kv, width, NULL}};
  feed_residual(p, layer > 0, &l->q, arch->attn_norm, l->attn_norm);
  multiply(p, TERN_OP_QKV, qkv, 3);
  tern_attention_store(p->f, layer, p->member, p->size);
  tern_mark(p->lane, TERN_OP_ROPE);
  tern_meet(s, p->lane);
  tern_attention(p->f, layer, p->member, p->size);
  tern_mark(p->lane, TERN_OP_ATTENTION);
  tern_meet(s, p->lane);
  for (int t = p->lo; t < p->hi; t++) {
    tern_feed(p->f, p->lane, p->in, t, &l->o, s->attention + (size_t)t * query, arch->attn_sub_norm, l->attn_sub_norm);
  }
  join_tokens(p);
  multiply(p, TERN_OP_OUTPUT, &(tern_product){&l->o, s->projection, (size_t)p->m->facts.hidden, NULL}, 1);
}

static void ffn_block(const pass *p, int layer) {
  const tern_layer *l = &p->m->layers[layer];
  const tern_arch *arch = p->m->facts.arch;
  tern_workspace *s = p->s;
  size_t ffn = (size_t)p->m->facts.ffn;
  void (*activate)(float *, const float *, const float *, int) =
      arch->activation == TERN_ACT_RELU2 ? p->vec->relu2_mul : p->vec->silu_mul;
  feed_residual(p, true, &l->gate, arch->ffn_norm, l->ffn_norm);
  multiply(p, TERN_OP_GATE_UP, (tern_product[]){{&l->gate, s->gate, ffn, NULL}, {&l->up, s->up, ffn, NULL}}, 2);
  for (int t = p->lo; t < p->hi; t++) {
    activate(p->lane->row, s->gate + (size_t)t * ffn, s->up + (size_t)t * ffn, (int)ffn);
    tern_mark(p->lane, TERN_OP_ACTIVATION);
    tern_feed(p->f, p->lane, p->in, t, &l->down, p->lane->row, arch->ffn_sub_norm, l->ffn_sub_norm);
  }
  join_tokens(p);
  multiply(p, TERN_OP_DOWN, &(tern_product){&l->down, s->projection, (size_t)p->m->facts.hidden, NULL}, 1);
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
