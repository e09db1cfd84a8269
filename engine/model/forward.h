/* Inside of a session, shared by the files of engine/model only: the KV cache,
 * the buffers of a chunk, and one forward pass over a chunk as a team job.
 *
 * Stages that go token by token (norm, quantise) are split over tokens when a
 * chunk has several; a single token is computed by every member for itself, in
 * its own lane's buffers, which saves a barrier and moves no data. */
#ifndef TERN_MODEL_FORWARD_H
#define TERN_MODEL_FORWARD_H

#include <stdatomic.h>

#include "engine/model/parts.h"
#include "engine/model/profile.h"

/* Input rows of a matrix: int8 with scale and sum, or float, by its layout. */
typedef struct tern_input {
  void *data;
  float *scale;
  int32_t *sum;
} tern_input;

/* One a team member: buffers nobody else writes, and its share of the answer. */
typedef struct tern_lane {
  _Alignas(64) float *x; /* residual of a single token */
  float *row;            /* any one row of activations */
  void *canonical;       /* any one row of int8 */
  tern_input in;         /* input of a single token */
  tern_input scan_in;    /* exact head: the input as the sum of two int8 rows */
  float *scores;         /* of attention */
  void *scratch;         /* of kernels */
  float best;            /* greatest logit among this member's rows */
  int32_t best_id;       /* -1: none */
  int32_t candidates;    /* exact head: rows that may be the greatest */
  float bound;           /* exact head: greatest lower bound among this member's rows */
  float *kept;           /* exact head: [2][TERN_TOP_MOST] the k greatest lower bounds as a heap; of all members */
  int kept_count;
  int32_t rescored;           /* rows of the head computed in its own precision */
  unsigned stage;             /* stages of row work so far */
  atomic_int taken[2];        /* pieces taken of this member's share; stages take turns */
  bool bad;                   /* met a value that is not finite */
  tern_profile_lane *profile; /* NULL: off */
} tern_lane;

/* Vectors of head_dim a position; all positions of a KV head lie together. */
typedef struct tern_kv_cache {
  tern_kv_type type;
  size_t vector_bytes;
  uint8_t *k, *v;
  float *k_scale, *v_scale; /* int8 only */
  size_t bytes, scale_bytes;
} tern_kv_cache;

struct tern_session {
  const tern_model *model;
  tern_team *team;
  int context, batch, position;
  tern_kv_cache kv;
  size_t qkv_width;      /* floats of a row of qkv: queries, keys, values */
  float *x;              /* [batch][hidden] residual */
  float *qkv;            /* [batch][qkv_width] */
  float *attention;      /* [batch][query dim] */
  float *projection;     /* [batch][hidden] o's and down's result, not yet added to x */
  float *gate, *up;      /* [batch][ffn] */
  float *cosine, *sine;  /* [batch][head_dim / 2] */
  tern_input in;         /* [batch] rows */
  float *logits;         /* [vocab], for greedy */
  int32_t *scan_sums;    /* [2][vocab], exact head */
  float *scan_value;     /* [vocab], exact head: upper bounds */
  tern_lane *lanes;      /* [team] */
  tern_profile *profile; /* NULL: off */
  void *memory;          /* one block that all of this lies in */
  size_t memory_bytes;
};

/* One chunk: what every member reads. */
typedef struct tern_forward {
  tern_session *s;
  const int32_t *ids;
  int tokens;    /* 1..batch */
  int wanted;    /* logits of the last `wanted` tokens: 0, 1 or tokens */
  float *logits; /* [wanted][vocab]; NULL: the exact head */
  /* Exact head: where rescored rows go, [vocab]; and which are wanted, NULL: the
   * greatest alone (rows that are not rescored are left as they are). */
  float *chosen;
  const tern_top *top;
} tern_forward;

/* The time since the member's last mark was op's. */
static inline void tern_mark(const tern_lane *l, tern_operator op) {
  if (l->profile) tern_profile_mark(l->profile, op);
}

/* The team's barrier; waiting is an operator of its own. */
static inline void tern_meet(const tern_session *s, const tern_lane *l) {
  tern_team_barrier(s->team);
  tern_mark(l, TERN_OP_BARRIER);
}

/* Team job over a tern_forward: the whole model, the head, the argmax. */
void tern_forward_job(void *arg, int member, int size);

/* Makes row `slot` of `in` the input of matrix m: x through the norm given. */
void tern_feed(const tern_forward *f, tern_lane *l, const tern_input *in, int slot, const tern_matrix *m,
               const float *x, tern_norm norm, const float *gain);

/* Rotates queries and keys of the chunk and stores keys and values. */
void tern_attention_store(const tern_forward *f, int layer, int member, int size);
/* s->attention of the chunk; work split evenly by positions read. */
void tern_attention(const tern_forward *f, int layer, int member, int size);

/* The last token's choice by scan, bounds and rescoring; lane->in row 0 holds
 * the head's float input. Fills the lane's answer. */
void tern_exact_head(const tern_forward *f, int member, int size);

/* A matrix of a stage with the place of its result: floats, or raw sums. */
typedef struct tern_product {
  const tern_matrix *m;
  float *y;
  size_t stride;
  int32_t *sums;
} tern_product;

/* Runs m's kernel over rows [row0, row1); row0 starts a block of its layout. */
void tern_run_rows(const tern_product *to, const tern_input *in, int tokens, void *scratch, int row0, int row1);
/* The whole team: all rows of `count` products of one input, then a barrier. */
void tern_multiply(tern_session *s, tern_operator op, const tern_product *products, int count, const tern_input *in,
                   int tokens, int member, int size);

/* Greatest of logits[row0..row1-1], lowest id on ties, into the lane's answer. */
void tern_lane_best(tern_lane *l, const float *logits, int row0, int row1);

#endif
