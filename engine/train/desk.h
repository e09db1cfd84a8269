/* A member's buffers: what the forward pass over a slice leaves for the
 * backward pass, and room to work in. Shared by the files of the pass only. */
#ifndef TERN_TRAIN_DESK_H
#define TERN_TRAIN_DESK_H

#include "engine/train/model.h"

enum {
  TERN_DESK_QUERIES = 64, /* of a head that attention goes back over at once */
  TERN_DESK_HEAD = 128    /* tokens whose logits exist at once */
};

/* Input rows of a linear layer: int8 with scale and sum, or floats. */
typedef struct tern_fed {
  int8_t *q;
  float *scale;
  int32_t *sum;
  float *floats;
  size_t stride; /* elements */
} tern_fed;

typedef struct tern_desk_layer {
  float *x_attn, *qkv, *attention, *x_ffn; /* residual before, after RoPE, mixed values, residual between */
  float *gate_up;                          /* [tokens][2 ffn]; backwards: their gradient */
  tern_fed in[TERN_TRAIN_LINEARS];
} tern_desk_layer;

struct tern_desk {
  tern_desk_layer *layer;
  float *x, *dx;        /* [tokens][hidden] residual and its gradient */
  float *projection;    /* [tokens][hidden] */
  float *wide, *change; /* [tokens][widest]: a linear layer's input as floats, its gradient */
  float *dqkv;          /* [tokens][qkv] */
  float *row, *row2;    /* [widest] */
  float *logits;        /* [TERN_DESK_HEAD][logits_stride] */
  size_t logits_stride;
  int *scored;          /* [tokens] that have a weight */
  float *scores;        /* of attend, or [TERN_DESK_QUERIES][context] */
  float *dscores;       /* [TERN_DESK_QUERIES][context] */
  float *keys, *values; /* [head_dim][context] of a head */
  float *low, *dlow;    /* [tokens][rank] A x of an adapter, and its gradient */
  float *dense;         /* scratch of products */
  void *kernel;
  int capacity, layers;
  void *memory;
  size_t memory_bytes;
};

/* Floats of a row of scores of so many tokens: whole lanes, an odd number of
 * cache lines, so that a column does not fall on one set of the cache. */
size_t tern_desk_row(int tokens);

/* Attention of layer `l` over the slice's documents, and backwards: desk->dqkv
 * from the gradient of l->attention in desk->change. */
void tern_attention_forward(const tern_train_pass *p, tern_desk *d, const tern_desk_layer *l);
void tern_attention_backward(const tern_train_pass *p, tern_desk *d, const tern_desk_layer *l);

/* Loss of the slice; with gradients: desk->dx and those of the head. */
void tern_head_pass(tern_train_pass *p, tern_desk *d);

/* x (or a gradient of it) times the dropout mask of a branch. */
void tern_dropout(const tern_train_pass *p, int branch, float *x);

/* Adds what the adapters of a linear layer make of x[tokens][cols]; backwards
 * their gradients, and to desk->change what goes back through them. */
void tern_adapters_forward(const tern_train_pass *p, tern_desk *d, const tern_train_linear *l, const float *x,
                           float *y);
void tern_adapters_backward(const tern_train_pass *p, tern_desk *d, const tern_train_linear *l, const float *x,
                            const float *dy);

void tern_layer_forward(tern_train_pass *p, tern_desk *d, int layer);
void tern_layer_backward(const tern_train_pass *p, tern_desk *d, int layer);

/* Notes the first value that is not finite, when asked to. */
void tern_trace(tern_train_pass *p, const float *x, size_t n, int layer, const char *what);

#endif
