/* The model in training: a flat arena of parameters, what the forward pass
 * makes of them in a step, and the forward and backward pass over a slice. The
 * forward pass is the inference engine's computation, operation by operation. */
#ifndef TERN_TRAIN_MODEL_H
#define TERN_TRAIN_MODEL_H

#include <stdatomic.h>

#include "engine/base/team.h"
#include "engine/train/config.h"
#include "engine/train/dataset.h"
#include "kernels/grad.h"
#include "kernels/kernel.h"
#include "kernels/vec.h"

typedef struct tern_param {
  char name[40];  /* as in a GGUF file */
  int rows, cols; /* of a gain: 1, n */
  size_t at;      /* in the arena; a multiple of 16 */
  bool matrix;    /* a linear layer: quantised, decays */
  int adapter;    /* of a matrix: its A (the next is its B), of A and B: the matrix; 0: none */
  char part;      /* 'a' or 'b' of an adapter; 0: of the base */
} tern_param;

/* A linear layer of the step: one or several parameters that lie together and
 * share their input (q, k, v; gate, up). */
typedef struct tern_train_linear {
  int first, parts; /* parameters */
  int rows, cols;
  const float *values; /* [rows][cols] as the forward pass has them */
  float *turned;       /* [cols][rows]; float weights only */
  int8_t *codes;       /* [rows][cols]; ternary only, as the rest */
  void *packed;
  float *scale; /* [rows] */
} tern_train_linear;

#define TERN_TRAIN_EPS 1e-5f /* of norms */

enum { TERN_TRAIN_LINEARS = 4, TERN_TRAIN_GAINS = 4 };
typedef enum tern_train_linear_place {
  TERN_TRAIN_QKV,
  TERN_TRAIN_O,
  TERN_TRAIN_GATE_UP,
  TERN_TRAIN_DOWN
} tern_train_linear_place;
typedef enum tern_train_gain_place {
  TERN_TRAIN_ATTN_NORM,
  TERN_TRAIN_ATTN_SUB,
  TERN_TRAIN_FFN_NORM,
  TERN_TRAIN_FFN_SUB
} tern_train_gain_place;

typedef struct tern_train_layer {
  tern_train_linear linear[TERN_TRAIN_LINEARS];
  size_t gain[TERN_TRAIN_GAINS]; /* offsets in the arena */
} tern_train_layer;

typedef struct tern_net {
  int layers, hidden, ffn, heads, kv_heads, head_dim, qkv, vocab, context;
  bool relu2, ternary, round_f16;
  float norm_eps;
  tern_param *params;
  int param_count, base_count; /* adapters come after the base */
  size_t size, base_size;      /* floats of the arena */
  int rank;                    /* of adapters; > 0: the base is frozen */
  float lora_scale;            /* alpha / rank */
  float *turned_lora;          /* A as [cols][rank] times lora_scale, B as [rank][rows]; as they lie in the arena */
  float *w;                    /* the arena */
  tern_train_layer *layer;
  size_t embedding, last_gain;       /* offsets */
  float *table;                      /* [vocab][hidden] rounded to f16 */
  float *turned_table;               /* [hidden][vocab] */
  float *values;                     /* arena of rounded weights */
  float *cosine, *sine, *minus_sine; /* [context][head_dim / 2] */
  const tern_vec *vec;
  const tern_grad *grad;
  const tern_kernel *kernel; /* of ternary products */
  void *memory;
  size_t memory_bytes;
} tern_net;

int tern_net_open(tern_net *n, const tern_train_config *c, int vocab, tern_isa cap, tern_error *e);
void tern_net_close(tern_net *n);
void tern_net_start(tern_net *n, const tern_train_config *c); /* random weights */
/* Quantises and turns the weights; members of a team share the work by `next`, 0 at first. */
void tern_net_prepare(tern_net *n, atomic_int *next);

/* Adapters (arXiv 2106.09685): y = base(x) + scale * B (A x), x as the base has it. */
bool tern_param_learns(const tern_net *n, int param);
void tern_adapter_prepare(const tern_net *n, int param);
/* values[rows][cols] += scale * B A, for a matrix that has them. */
void tern_adapter_add(const tern_net *n, const tern_param *matrix, float *values);

/* Buffers of one member for the largest slice. */
typedef struct tern_desk tern_desk;
int tern_desk_open(tern_desk **out, const tern_net *n, int capacity, tern_error *e);
void tern_desk_close(tern_desk *d);

typedef struct tern_train_pass {
  const tern_net *n;
  const tern_train_slice *s;
  float *grads; /* arena of gradients; NULL: forward only */
  double loss;  /* out: sum of weight x cross entropy */
  double dropout;
  uint64_t seed, stream; /* of dropout: differ for every slice of every step */
  double *entropies;     /* [tokens] out, or NULL */
  bool trace;            /* look for the first value that is not finite */
  char fault[96];        /* out: where it is */
} tern_train_pass;

void tern_pass_run(tern_train_pass *p, tern_desk *d);

/* Floating-point operations of a slice's linear layers and head, forward and backward. */
double tern_net_flops(const tern_net *n, double tokens);

#endif
