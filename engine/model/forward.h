/* Inside of sessions, shared by the files of engine/model only: the KV cache of
 * a sequence, the buffers of a chunk, and one forward pass over a chunk, which
 * may hold tokens of several sequences, as a team job.
 *
 * Stages that go token by token (norm, quantise) are split over tokens when a
 * chunk has several; a single token is computed by every member for itself, in
 * its own lane's buffers, which saves a barrier and moves no data. */
#ifndef TERN_MODEL_FORWARD_H
#define TERN_MODEL_FORWARD_H

#include <stdatomic.h>

#include "engine/model/parts.h"
#include "engine/model/profile.h"

typedef struct tern_part tern_part;
typedef struct tern_row tern_row;

/* Input rows of a matrix: int8 with scale and sum (one, or one a block), or
 * float, by its layout. */
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

/* Buffers of a chunk, shared by the sessions that were opened on it. */
struct tern_workspace {
  const tern_model *model;
  tern_team *team;
  int context;           /* positions of the longest session */
  int batch;             /* tokens of a chunk */
  int rows;              /* of logits kept here */
  int sessions;          /* open ones */
  size_t qkv_width;      /* floats of a row of qkv: queries, keys, values */
  float *x;              /* [batch][hidden] residual */
  float *qkv;            /* [batch][qkv_width] */
  float *attention;      /* [batch][query dim] */
  float *projection;     /* [batch][hidden] o's and down's result, not yet added to x */
  float *gate, *up;      /* [batch][ffn] */
  float *cosine[2];      /* [batch][rotated / 2]; of layers that see all, of local ones */
  float *sine[2];        /* likewise */
  tern_input in;         /* [batch] rows */
  float *logits;         /* [rows][vocab], where nobody else takes them */
  int32_t *scan_sums;    /* [2][vocab], exact head */
  float *scan_value;     /* [vocab], exact head: upper bounds */
  tern_lane *lanes;      /* [team] */
  int32_t *ids;          /* [batch] of the chunk */
  int *owner;            /* [batch] part of each token of the chunk */
  tern_part *parts;      /* [batch] */
  tern_row *wanted;      /* [batch] */
  tern_profile *profile; /* NULL: off */
  void *memory;          /* one block that all of this lies in */
  size_t memory_bytes;
};

/* One sequence. */
struct tern_session {
  tern_workspace *workspace;
  bool own; /* the workspace goes with the session */
  int context, position;
  int start; /* position before the call that is running; -1: none is */
  tern_kv_cache kv;
  int32_t *ids; /* [context] what was fed */
  void *memory; /* one block of cache and ids */
  size_t memory_bytes;
};

/* Consecutive tokens of one sequence in a chunk. */
struct tern_part {
  tern_session *session;
  int token, tokens; /* first in the chunk, how many */
  int position;      /* of the first */
};

/* A token of the chunk whose logits are wanted, and what became of them. */
struct tern_row {
  int token;
  float *to;                    /* [vocab] logits; NULL: to the workspace, as nobody asks for them */
  float *state;                 /* [hidden]: the head's input, and no logits; NULL: logits */
  int32_t target;               /* id whose log-probability is asked for; -1: none */
  int32_t best;                 /* out: greatest logit's id */
  double logprob, best_logprob; /* out: of target, and of the greatest; 0 without a target */
  bool bad;                     /* out: not finite */
};

/* One chunk: what every member reads. */
typedef struct tern_forward {
  tern_workspace *s;
  const int32_t *ids;
  int tokens; /* 1..batch */
  int parts;  /* that s->parts holds: the chunk's tokens in order */
  int wanted; /* rows that s->wanted holds, tokens ascending */
  /* Exact head, of a chunk with one row: where rescored rows go, [vocab]; NULL:
   * the full head. And which are wanted, NULL: the greatest alone (rows that
   * are not rescored are left as they are). */
  float *chosen;
  const tern_top *top;
} tern_forward;

static inline const tern_part *tern_part_of(const tern_forward *f, int token) {
  return &f->s->parts[f->s->owner[token]];
}
static inline int tern_position_of(const tern_forward *f, int token) {
  const tern_part *p = tern_part_of(f, token);
  return p->position + token - p->token;
}

/* The time since the member's last mark was op's. */
static inline void tern_mark(const tern_lane *l, tern_operator op) {
  if (l->profile) tern_profile_mark(l->profile, op);
}

/* The team's barrier; waiting is an operator of its own. */
static inline void tern_meet(const tern_workspace *s, const tern_lane *l) {
  tern_team_barrier(s->team);
  tern_mark(l, TERN_OP_BARRIER);
}

/* Team job over a tern_forward: the whole model, the head, the argmax. */
void tern_forward_job(void *arg, int member, int size);
/* Logits of the chunk's wanted rows and what is asked of them. */
void tern_head_rows(const tern_forward *f, const float *x, int member, int size);

/* An RMSNorm on the way to a matrix. */
typedef struct tern_step {
  tern_norm norm;
  const float *gain;
} tern_step;
/* Makes row `slot` of `in` the input of matrix m: x through the two norms. */
void tern_feed(const tern_forward *f, tern_lane *l, const tern_input *in, int slot, const tern_matrix *m,
               const float *x, const tern_step steps[2]);

/* What a branch adds to the residual: its projection's result lies in the
 * workspace; bias, norm and scale come with the addition. */
typedef struct tern_branch {
  const float *bias, *gain; /* NULL: none */
} tern_branch;
tern_branch tern_ffn_branch(const tern_layer *l);
/* Adds it to x, the residual of a token of the chunk. Uses the lane's row. */
void tern_add_branch(const tern_forward *f, const tern_lane *l, float *x, int token, const tern_branch *b);

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
void tern_multiply(tern_workspace *s, tern_operator op, const tern_product *products, int count, const tern_input *in,
                   int tokens, int member, int size);

/* Greatest of logits[row0..row1-1], lowest id on ties, into the lane's answer. */
void tern_lane_best(tern_lane *l, const float *logits, int row0, int row1);

#endif
