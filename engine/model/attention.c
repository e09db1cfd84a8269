/* Grouped-query attention over the KV caches of a chunk's sequences. */
#include "engine/model/forward.h"

typedef struct head_cache {
  uint8_t *k, *v; /* position 0 */
  float *k_scale, *v_scale;
} head_cache;

static head_cache cache_of(const tern_session *s, int layer, int kv_head) {
  const tern_kv_cache *c = &s->kv;
  size_t kv_heads = (size_t)s->workspace->model->facts.kv_heads;
  size_t first = ((size_t)layer * kv_heads + (size_t)kv_head) * (size_t)s->context;
  return (head_cache){.k = c->k + first * c->vector_bytes,
                      .v = c->v + first * c->vector_bytes,
                      .k_scale = c->k_scale ? c->k_scale + first : NULL,
                      .v_scale = c->v_scale ? c->v_scale + first : NULL};
}

/* What a part of a row of qkv is: a head of one of the three. */
typedef struct slice {
  tern_projection of;
  int head;
} slice;

static slice slice_of(const tern_model_facts *f, int part) {
  if (part < f->heads) return (slice){TERN_Q, part};
  part -= f->heads;
  return part < f->kv_heads ? (slice){TERN_K, part} : (slice){TERN_V, part - f->kv_heads};
}

void tern_attention_store(const tern_forward *f, int layer, int member, int size) {
  tern_workspace *s = f->s;
  const tern_model_facts *facts = &s->model->facts;
  const tern_vec *vec = s->model->vec;
  const tern_layer *l = &s->model->layers[layer];
  const float *cosine = s->cosine[l->local], *sine = s->sine[l->local];
  int heads = facts->heads, kv_heads = facts->kv_heads, dim = facts->head_dim, parts = heads + 2 * kv_heads, lo, hi;
  int neox = facts->arch->rope == TERN_ROPE_NEOX;
  tern_split(f->tokens * parts, 1, member, size, &lo, &hi);
  for (int i = lo; i < hi; i++) {
    int t = i / parts, part = i % parts; /* a row of qkv is heads queries, kv_heads keys, kv_heads values */
    const slice a = slice_of(facts, part);
    size_t position = (size_t)tern_position_of(f, t), angle = (size_t)t * (size_t)(facts->rotated / 2);
    float *x = s->qkv + (size_t)t * s->qkv_width + (size_t)part * (size_t)dim;
    if (l->biases[a.of]) vec->add(x, l->biases[a.of] + (size_t)a.head * (size_t)dim, dim);
    if (a.of != TERN_V) {
      const float *gain = l->norms[a.of == TERN_Q ? TERN_NORM_Q_HEAD : TERN_NORM_K_HEAD];
      if (gain) vec->rmsnorm(x, x, gain, dim, (float)facts->eps);
      vec->rope(x, cosine + angle, sine + angle, facts->rotated, neox);
    }
    if (a.of == TERN_Q) continue;
    const tern_session *sequence = tern_part_of(f, t)->session;
    head_cache c = cache_of(sequence, layer, a.head);
    float *scale = a.of == TERN_K ? c.k_scale : c.v_scale;
    vec->kv_store((a.of == TERN_K ? c.k : c.v) + position * sequence->kv.vector_bytes, scale ? scale + position : NULL,
                  x, dim, sequence->kv.type);
  }
}

/* Query heads [head, head + heads) of tokens [token, token + tokens) of a part,
 * which all see positions from `start` on. */
typedef struct span {
  int token, tokens, head, heads, start;
} span;

static void attend(const tern_forward *f, const tern_part *part, const head_cache *c, tern_lane *l, const span *of) {
  const tern_workspace *s = f->s;
  const tern_model_facts *facts = &s->model->facts;
  const tern_kv_cache *kv = &part->session->kv;
  size_t dim = (size_t)facts->head_dim, width = (size_t)facts->heads * dim;
  size_t first = (size_t)of->head * dim, token = (size_t)(part->token + of->token);
  size_t start = (size_t)of->start;
  if (of->tokens < 1 || of->heads < 1) return;
  s->model->vec->attend(&(tern_attend){.q = s->qkv + token * s->qkv_width + first,
                                       .q_token = s->qkv_width,
                                       .q_head = dim,
                                       .out = s->attention + token * width + first,
                                       .out_token = width,
                                       .out_head = dim,
                                       .heads = of->heads,
                                       .tokens = of->tokens,
                                       .positions = part->position + of->token + 1 - of->start,
                                       .head_dim = facts->head_dim,
                                       .k = c->k + start * kv->vector_bytes,
                                       .v = c->v + start * kv->vector_bytes,
                                       .kv_stride = kv->vector_bytes,
                                       .k_scale = c->k_scale ? c->k_scale + start : NULL,
                                       .v_scale = c->v_scale ? c->v_scale + start : NULL,
                                       .type = kv->type,
                                       .scale = facts->attention_scale,
                                       .scratch = l->scores});
}

/* How many of a token's units, the first of which starts at `start`, start before `from`. */
static int units_before(int64_t from, int64_t start, int64_t cost, int most) {
  int64_t units = from <= start ? 0 : (from - start + cost - 1) / cost;
  return units < most ? (int)units : most;
}

/* First position that a query at `position` sees; window 0: all. */
static int start_of(int position, int window) {
  return window && position >= window ? position + 1 - window : 0;
}

static int window_of(const tern_forward *f, int layer) {
  const tern_model *m = f->s->model;
  return m->layers[layer].local ? m->facts.window : 0;
}

/* Positions that a query head of the part's tokens reads. */
static int64_t reads_of(const tern_part *p, int window) {
  int64_t reads = 0;
  for (int i = p->position; i < p->position + p->tokens; i++) reads += i + 1 - start_of(i, window);
  return reads;
}

/* The units of one part that start in [lo, hi); its first starts at `passed`. */
static void attend_part(const tern_forward *f, const tern_part *part, int layer, tern_lane *l, int64_t passed,
                        int64_t lo, int64_t hi) {
  const tern_model_facts *facts = &f->s->model->facts;
  int group = facts->heads / facts->kv_heads, window = window_of(f, layer);
  for (int kv = 0; kv < facts->kv_heads; kv++) {
    head_cache c = cache_of(part->session, layer, kv);
    int whole = 0; /* tokens before t that are all this member's and not done yet */
    for (int t = 0; t < part->tokens; t++) {
      int start = start_of(part->position + t, window);
      int64_t cost = part->position + t + 1 - start;
      int first = units_before(lo, passed, cost, group), end = units_before(hi, passed, cost, group);
      passed += cost * group;
      if (end - first == group && start == 0) {
        whole++;
        continue;
      }
      attend(f, part, &c, l, &(span){t - whole, whole, kv * group, group, 0});
      attend(f, part, &c, l, &(span){t, 1, kv * group + first, end - first, start});
      whole = 0;
    }
    attend(f, part, &c, l, &(span){part->tokens - whole, whole, kv * group, group, 0});
  }
}

/* Units are (part, KV head, token, query head); a unit costs the positions it
 * reads. A member owns the units that start within its share of the whole cost;
 * tokens whose heads are all its own, and that see all before them, go together. */
void tern_attention(const tern_forward *f, int layer, int member, int size) {
  const tern_workspace *s = f->s;
  tern_lane *l = &s->lanes[member];
  int window = window_of(f, layer);
  int64_t heads = s->model->facts.heads, total = 0, start = 0;
  for (int i = 0; i < f->parts; i++) total += heads * reads_of(&s->parts[i], window);
  int64_t lo = total * member / size, hi = total * (member + 1) / size;
  for (int i = 0; i < f->parts && start < hi; i++) {
    int64_t end = start + heads * reads_of(&s->parts[i], window);
    if (end > lo) attend_part(f, &s->parts[i], layer, l, start, lo, hi);
    start = end;
  }
}
