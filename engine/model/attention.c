/* Grouped-query attention over the KV cache. */
#include "engine/model/forward.h"

typedef struct head_cache {
  uint8_t *k, *v; /* position 0 */
  float *k_scale, *v_scale;
} head_cache;

static head_cache cache_of(const tern_session *s, int layer, int kv_head) {
  const tern_kv_cache *c = &s->kv;
  size_t first = ((size_t)layer * (size_t)s->model->facts.kv_heads + (size_t)kv_head) * (size_t)s->context;
  return (head_cache){.k = c->k + first * c->vector_bytes,
                      .v = c->v + first * c->vector_bytes,
                      .k_scale = c->k_scale ? c->k_scale + first : NULL,
                      .v_scale = c->v_scale ? c->v_scale + first : NULL};
}

void tern_attention_store(const tern_forward *f, int layer, int member, int size) {
  tern_session *s = f->s;
  const tern_model_facts *facts = &s->model->facts;
  const tern_vec *vec = s->model->vec;
  int heads = facts->heads, kv_heads = facts->kv_heads, dim = facts->head_dim, parts = heads + 2 * kv_heads, lo, hi;
  int neox = facts->arch->rope == TERN_ROPE_NEOX;
  tern_split(f->tokens * parts, 1, member, size, &lo, &hi);
  for (int i = lo; i < hi; i++) {
    int t = i / parts, part = i % parts; /* a row of qkv is heads queries, kv_heads keys, kv_heads values */
    size_t position = (size_t)(s->position + t), angle = (size_t)t * (size_t)(dim / 2);
    float *x = s->qkv + (size_t)t * s->qkv_width + (size_t)part * (size_t)dim;
    if (part < heads + kv_heads) vec->rope(x, s->cosine + angle, s->sine + angle, dim, neox);
    if (part < heads) continue;
    head_cache c = cache_of(s, layer, (part - heads) % kv_heads);
    bool key = part < heads + kv_heads;
    float *scale = key ? c.k_scale : c.v_scale;
    vec->kv_store((key ? c.k : c.v) + position * s->kv.vector_bytes, scale ? scale + position : NULL, x, dim,
                  s->kv.type);
  }
}

/* Query heads [head, head + heads) of tokens [token, token + tokens) of a chunk. */
typedef struct span {
  int token, tokens, head, heads;
} span;

static void attend(const tern_forward *f, const head_cache *c, tern_lane *l, const span *part) {
  const tern_session *s = f->s;
  const tern_model_facts *facts = &s->model->facts;
  size_t dim = (size_t)facts->head_dim, width = (size_t)facts->heads * dim;
  size_t first = (size_t)part->head * dim, token = (size_t)part->token;
  if (part->tokens < 1 || part->heads < 1) return;
  s->model->vec->attend(&(tern_attend){.q = s->qkv + token * s->qkv_width + first,
                                       .q_token = s->qkv_width,
                                       .q_head = dim,
                                       .out = s->attention + token * width + first,
                                       .out_token = width,
                                       .out_head = dim,
                                       .heads = part->heads,
                                       .tokens = part->tokens,
                                       .positions = s->position + part->token + 1,
                                       .head_dim = facts->head_dim,
                                       .k = c->k,
                                       .v = c->v,
                                       .kv_stride = s->kv.vector_bytes,
                                       .k_scale = c->k_scale,
                                       .v_scale = c->v_scale,
                                       .type = s->kv.type,
                                       .scale = 1 / __builtin_sqrtf((float)facts->head_dim),
                                       .scratch = l->scores});
}

/* How many of a token's units, the first of which starts at `start`, start before `from`. */
static int units_before(int64_t from, int64_t start, int64_t cost, int most) {
  int64_t units = from <= start ? 0 : (from - start + cost - 1) / cost;
  return units < most ? (int)units : most;
}

/* Units are (KV head, token, query head); a unit costs the positions it reads.
 * A member owns the units that start within its share of the whole cost; tokens
 * whose heads are all its own go together. */
void tern_attention(const tern_forward *f, int layer, int member, int size) {
  const tern_session *s = f->s;
  const tern_model_facts *facts = &s->model->facts;
  tern_lane *l = &s->lanes[member];
  int group = facts->heads / facts->kv_heads;
  int64_t tokens = f->tokens, start = 0;
  int64_t total = facts->heads * (tokens * s->position + tokens * (tokens + 1) / 2);
  int64_t lo = total * member / size, hi = total * (member + 1) / size;
  for (int kv = 0; kv < facts->kv_heads; kv++) {
    head_cache c = cache_of(s, layer, kv);
    int whole = 0; /* tokens before t that are all this member's and not done yet */
    for (int t = 0; t < f->tokens; t++) {
      int64_t cost = s->position + t + 1;
      int first = units_before(lo, start, cost, group), end = units_before(hi, start, cost, group);
      start += cost * group;
      if (end - first == group) {
        whole++;
        continue;
      }
      attend(f, &c, l, &(span){t - whole, whole, kv * group, group});
      attend(f, &c, l, &(span){t, 1, kv * group + first, end - first});
      whole = 0;
    }
    attend(f, &c, l, &(span){f->tokens - whole, whole, kv * group, group});
  }
}
