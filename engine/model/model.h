/* A model: immutable after load, weights packed in the kernels' layouts. The
 * same file gives the ternary engine and its twins (same values as f16, bf16,
 * f32 or int8 weights): one graph, other weights. */
#ifndef TERN_MODEL_MODEL_H
#define TERN_MODEL_MODEL_H

#include <stdint.h>

#include "engine/base/team.h"
#include "engine/format/arch.h"
#include "engine/format/gguf.h"
#include "kernels/tuning.h"
#include "kernels/vec.h"

typedef struct tern_model tern_model;
typedef struct tern_profile tern_profile; /* profile.h */

typedef struct tern_model_params {
  const char *layout;        /* body: "t2", "t5", "q8", "f16", "bf16", "f32"; NULL: by the file's type */
  bool any_layout;           /* of ternary weights: the file's own or a tuned one may stand for `layout` */
  const char *head_layout;   /* output head: "f16" when NULL; "f32", "bf16", "q8" */
  bool exact_head;           /* add the int8 scan copy that makes greedy decoding exact at int8 traffic */
  tern_isa isa_cap;          /* TERN_ISA_COUNT: best usable */
  const tern_tuning *tuning; /* times of kernels here; NULL: usual layouts and kernels */
  int threads;               /* that kernels are chosen for, with tuning */
  tern_i2s i2s;              /* TERN_I2S_AUTO: file's ternmark.i2s_layout key, else 128 */
  bool progress;             /* bar on stderr */
} tern_model_params;

/* How RoPE's angles differ from position * theta^(-2i/d). */
typedef enum tern_rope_scaled { TERN_ROPE_PLAIN, TERN_ROPE_LINEAR, TERN_ROPE_YARN, TERN_ROPE_LLAMA3 } tern_rope_scaled;
typedef struct tern_rope_scaling {
  tern_rope_scaled kind;
  double factor;
  int trained;                /* context before scaling: YaRN, LLaMA 3 */
  double fast, slow, size;    /* YaRN: rotations that bound the ramp; further factor of cos and sin */
  double low_freq, high_freq; /* LLaMA 3 */
} tern_rope_scaling;

/* What one embedding is made of: GGUF's pooling_type. */
typedef enum tern_pooling { TERN_POOLING_NONE, TERN_POOLING_MEAN, TERN_POOLING_CLS, TERN_POOLING_LAST } tern_pooling;

typedef struct tern_model_facts {
  const tern_arch *arch;
  int layers, hidden, ffn, heads, kv_heads, head_dim, vocab, context;
  int rotated;       /* dimensions of a head that RoPE turns */
  int window;        /* positions that local layers see; 0: all layers see all */
  int window_period; /* of layers, the last of them sees all */
  double rope_theta, rope_theta_local, eps;
  tern_rope_scaling rope_scaling;
  float attention_scale;                               /* of scores */
  double embedding_scale, residual_scale, logit_scale; /* factors; 1: none */
  tern_pooling pooling;                                /* of embeddings, from the file */
  const char *body_layout, *head_layout;               /* names */
  const char *body_kernel, *head_kernel, *vec;         /* kernels of one token */
  const char *body_batch_kernel;                       /* of many tokens */
  bool tuned;                                          /* times had a say in layout and kernels */
  size_t body_bytes;                                   /* packed projections, padding and scales included */
  size_t head_bytes;                                   /* output head as packed */
  size_t scan_bytes;                                   /* exact head's int8 copy, 0 without */
  size_t embedding_bytes;                              /* token embedding where it is not the head itself */
  size_t norm_bytes;
  int64_t body_weights; /* weights in the projections */
  bool ternary;         /* projections are ternary codes */
  double zero_share;    /* of ternary codes, NAN when not ternary */
} tern_model_facts;

/* Packs g's tensors (rows split over `team`), releasing file pages as it goes;
 * g may be closed afterwards. Checks memory first. */
int tern_model_load(tern_model **out, const tern_gguf *g, const tern_model_params *p, tern_team *team, tern_error *e);
void tern_model_close(tern_model *m);
/* Of codes -1, 0, +1, with a scale a row or a block. */
bool tern_layout_is_ternary(const tern_layout *layout);
const tern_model_facts *tern_model_describe(const tern_model *m);
/* Bytes that loading would take, from metadata alone. */
int tern_model_plan(const tern_gguf *g, const tern_model_params *p, size_t *bytes, tern_error *e);
/* Facts from metadata alone; zero_share is NAN. Checks every tensor's presence and shape. */
int tern_model_preview(const tern_gguf *g, const tern_model_params *p, tern_model_facts *facts, tern_error *e);

/* A workspace: the buffers of a chunk of tokens and the team that computes it.
 * Sessions may share one; it does one call at a time and outlives them. */
typedef struct tern_workspace tern_workspace;

typedef struct tern_workspace_params {
  int batch;   /* tokens a chunk, of all sequences together; <= 0: 512 */
  int context; /* positions of the longest session; <= 0: the model's, at most 4096 */
  int rows;    /* rows of logits computed together where the caller takes none; <= 0: 1 */
} tern_workspace_params;

int tern_workspace_plan(const tern_model_facts *f, const tern_workspace_params *p, int threads, size_t *bytes,
                        tern_error *e);
int tern_workspace_open(tern_workspace **out, const tern_model *m, tern_team *team, const tern_workspace_params *p,
                        tern_error *e);
void tern_workspace_close(tern_workspace *w); /* NULL allowed */
void tern_workspace_profile(tern_workspace *w, tern_profile *p);

/* A session: KV cache and position of one sequence. Many to a model, one
 * thread at a time each. */
typedef struct tern_session tern_session;

typedef struct tern_session_params {
  int context; /* positions; <= 0: the model's, at most 4096 */
  int batch;   /* tokens a chunk of its own workspace; <= 0: 512 */
  tern_kv_type kv;
} tern_session_params;

typedef enum tern_want { TERN_WANT_NONE, TERN_WANT_LAST, TERN_WANT_ALL } tern_want;

/* Bytes that a session of such a model would take with a workspace of its own
 * for a team of `threads`. */
int tern_session_plan(const tern_model_facts *f, const tern_session_params *p, int threads, size_t *bytes,
                      tern_error *e);

/* With a workspace of its own, or on one that others share. */
int tern_session_open(tern_session **out, const tern_model *m, tern_team *team, const tern_session_params *p,
                      tern_error *e);
int tern_session_join(tern_session **out, tern_workspace *w, const tern_session_params *p, tern_error *e);
void tern_session_close(tern_session *s);

/* Appends n tokens. logits: [vocab] of the last or [n][vocab] of all, by
 * `want`. Fails on ids outside the vocabulary, a full context, an interrupt,
 * or non-finite logits. Results do not depend on the split into calls or
 * chunks, the thread count or the ISA. */
int tern_session_eval(tern_session *s, const int32_t *ids, int n, tern_want want, float *logits, tern_error *e);

/* Appends n tokens and gives the greedy next token; through the exact head
 * when the model has it (same id as argmax of full logits). rescored (may be
 * NULL): rows computed in full precision. */
int tern_session_greedy(tern_session *s, const int32_t *ids, int n, int32_t *next, int *rescored, tern_error *e);

/* Which logits a choice needs: those among the k greatest, and within `floor`
 * of the greatest. */
typedef struct tern_top {
  int k;       /* 0: any number; above TERN_TOP_MOST the bounds don't help */
  float floor; /* >= 0; INFINITY: any distance */
} tern_top;
enum { TERN_TOP_MOST = 1024 };

/* Appends n tokens; logits: [vocab] of the last, bit for bit the full head's
 * where `top` asks for them (ties with the k-th included), there or -INFINITY
 * elsewhere. The full head when the model has no exact one. */
int tern_session_top(tern_session *s, const int32_t *ids, int n, const tern_top *top, float *logits, int *rescored,
                     tern_error *e);

/* What a row of logits says of an id that may come next. */
typedef struct tern_score {
  double logprob;      /* log of softmax at the target, in double; 0 where it is negative */
  double best_logprob; /* the same at `best`; equal to logprob where both logits are */
  int32_t best;        /* id of the greatest logit, lowest on ties */
} tern_score;

/* One sequence's part of a batch: n tokens to append, and what is wanted of the
 * last `wanted` of them. All pointers are the caller's. */
typedef struct tern_item {
  tern_session *session;
  const int32_t *ids;
  int n, wanted;       /* 0..n; decoding wants 1 */
  float *logits;       /* [wanted][vocab], or NULL */
  float *states;       /* [wanted][hidden] final hidden states, normed, and nothing of logits; of all items, or NULL */
  const tern_top *top; /* wanted 1: as tern_session_top (more rows than asked for may be there); NULL: all */
  const int32_t *targets; /* [wanted] ids to score, negative: none; or NULL */
  tern_score *scores;     /* out: [wanted], or NULL */
  int32_t next;           /* out: greedy choice after the last token, when wanted */
  int rescored;           /* out: rows of the head computed in full precision; 0 when several shared it */
} tern_item;

/* Appends the items' tokens to their sessions, which are different ones of this
 * workspace: chunks hold as many tokens as there is room for, whosever they are.
 * Every result has the bits that the item alone would give. A failure leaves
 * all positions where they were. */
int tern_batch_eval(tern_workspace *w, tern_item *items, int count, tern_error *e);

/* Appends n tokens and gives one vector of length 1 for them, [hidden]: their
 * final hidden states pooled (facts->pooling is the file's wish). The session
 * should be at position 0. */
int tern_session_embed(tern_session *s, const int32_t *ids, int n, tern_pooling pooling, float *out, tern_error *e);

/* The same of one item, in its session's workspace. */
int tern_session_feed(tern_item *item, tern_error *e);

const tern_model *tern_session_model(const tern_session *s);
int tern_session_position(const tern_session *s);
const int32_t *tern_session_ids(const tern_session *s);  /* [position] */
void tern_session_rewind(tern_session *s, int position); /* <= current */
/* Rewinds to what the session has in common with a text of n ids, so that at
 * least one is left to feed; returns how many are not to be fed again. */
int tern_session_reuse(tern_session *s, const int32_t *ids, int n);
/* Makes `to` a copy of from's first `positions`: keys, values and ids, read and
 * written once. Both of one model and one KV type. */
int tern_session_fork(tern_session *to, const tern_session *from, int positions, tern_error *e);

/* Sessions as files (docs/generation.md): written whole or not at all. pending:
 * n further ids of the text, chosen but not fed. */
int tern_session_save(const tern_session *s, const char *path, const int32_t *pending, int n, tern_error *e);
typedef struct tern_session_file_facts {
  tern_kv_type kv;
  int positions, ids; /* in the cache; of the text */
} tern_session_file_facts;
/* What a session must have to load it, from the header alone. */
int tern_session_peek(const char *path, tern_session_file_facts *facts, tern_error *e);
/* Replaces what s holds; ids: the whole text, malloc'ed. Refuses files of other
 * models and KV types, cut, damaged or too long ones; s is then at position 0. */
int tern_session_load(tern_session *s, const char *path, int32_t **ids, int *n, tern_error *e);

/* Makes the KV cache's pages exist, so that no later call pays for them; the
 * session must be at position 0. */
void tern_session_touch(tern_session *s);
size_t tern_session_kv_bytes(const tern_session *s);
int tern_session_context(const tern_session *s);

#endif
