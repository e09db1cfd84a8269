/* Model families as rows of one table: which tensors and keys a file of the
 * family has, and what the one forward pass does with them. A new family is a
 * row and, where its tensors have other names, a map. Read by the loader, the
 * forward pass and the generator of synthetic models. */
#ifndef TERN_FORMAT_ARCH_H
#define TERN_FORMAT_ARCH_H

#include <stdbool.h>

typedef enum tern_activation { TERN_ACT_RELU2, TERN_ACT_SILU, TERN_ACT_GELU } tern_activation; /* of gate, times up */
typedef enum tern_rope { TERN_ROPE_NEOX, TERN_ROPE_INTERLEAVED } tern_rope;
typedef enum tern_head {
  TERN_HEAD_TIED, /* token_embd.weight; an output.weight in the file is not used */
  TERN_HEAD_OWN   /* output.weight where the file has it, else token_embd.weight */
} tern_head;

/* Sizes that shapes of tensors are made of. */
typedef enum tern_dim {
  TERN_DIM_ONE,
  TERN_DIM_HIDDEN,
  TERN_DIM_QUERY,
  TERN_DIM_KV,
  TERN_DIM_FFN,
  TERN_DIM_VOCAB,
  TERN_DIM_HEAD,
  TERN_DIM_ANGLES, /* pairs of a head that are rotated */
  TERN_DIMS
} tern_dim;

/* Projections of a layer, in the order of the graph. */
typedef enum tern_projection {
  TERN_Q,
  TERN_K,
  TERN_V,
  TERN_O,
  TERN_GATE,
  TERN_UP,
  TERN_DOWN,
  TERN_PROJECTIONS
} tern_projection;
/* blk.N.<name>.weight; its bias, where there is one, blk.N.<name>.bias. */
typedef struct tern_projection_form {
  const char *name;
  tern_dim rows, cols;
} tern_projection_form;
extern const tern_projection_form tern_projection_forms[TERN_PROJECTIONS];

/* Places where a layer may have an RMSNorm. An input norm lies in front of one
 * projection alone, after the norm of the branch (BitLinear's own norm). */
typedef enum tern_norm_place {
  TERN_NORM_ATTN,      /* of the residual, in front of q, k, v */
  TERN_NORM_Q_HEAD,    /* of each query head, before RoPE */
  TERN_NORM_K_HEAD,    /* of each key head, before RoPE */
  TERN_NORM_ATTN_SUB,  /* in front of o */
  TERN_NORM_ATTN_POST, /* of o's result, before it is added */
  TERN_NORM_FFN,       /* of the residual, in front of gate and up */
  TERN_NORM_FFN_SUB,   /* in front of down */
  TERN_NORM_FFN_POST,  /* of down's result, before it is added */
  TERN_NORM_Q_IN,
  TERN_NORM_K_IN,
  TERN_NORM_V_IN,
  TERN_NORM_GATE_IN,
  TERN_NORM_UP_IN,
  TERN_NORMS
} tern_norm_place;
typedef struct tern_norm_form {
  const char *name; /* blk.N.<name>.weight */
  tern_dim size;
} tern_norm_form;
extern const tern_norm_form tern_norm_forms[TERN_NORMS];

typedef enum tern_norm {
  TERN_NORM_NONE,
  TERN_NORM_GAIN,     /* RMSNorm with gain tensor */
  TERN_NORM_BARE,     /* RMSNorm without gain */
  TERN_NORM_WHERE_HAD /* with gain where the file has the tensor, else none */
} tern_norm;
typedef enum tern_bias_kind { TERN_BIAS_NONE, TERN_BIAS_ALWAYS, TERN_BIAS_WHERE_HAD } tern_bias_kind;

/* A factor of the graph: the number under `key` where a file has it, else
 * value * sqrt(hidden)^hidden_roots * sqrt(layers)^layer_roots. value 0: 1, no key. */
typedef struct tern_factor {
  const char *key; /* after "<arch>."; NULL: none is read */
  double value;
  int hidden_roots, layer_roots;
} tern_factor;

/* A tensor that this family calls otherwise. */
typedef struct tern_alias {
  const char *usual, *here; /* names of the forms above */
} tern_alias;

typedef struct tern_arch {
  const char *name; /* general.architecture */
  tern_activation activation;
  tern_rope rope;
  tern_head head;
  tern_norm norms[TERN_NORMS];
  tern_bias_kind biases[TERN_PROJECTIONS]; /* of q, k, v and o */
  double norm_eps_bare;                    /* epsilon of bare norms */
  double norm_eps;                         /* of synthetic files, which say it; 0: 1e-5 */
  tern_factor embedding;                   /* multiplies the embedding's rows */
  tern_factor residual;                    /* multiplies what a branch adds */
  tern_factor logits;                      /* divides the logits */
  int window_period;          /* of layers, the last sees all, the others a sliding window; 0: no windows */
  int layers_scaled_by_width; /* models of so many layers scale scores by sqrt(hidden / heads); 0: none */
  bool matrix_scales;         /* a projection may have a one-number tensor <name>.scale beside it */
  const tern_alias *names;    /* ends with {0}; NULL: usual names */
  const char *note;           /* which models */
} tern_arch;

const tern_arch *tern_arch_find(const char *name); /* NULL: not supported */
/* i-th row, NULL past the end. */
const tern_arch *tern_arch_at(int i);
/* What the family calls the tensor. */
const char *tern_arch_name(const tern_arch *a, const char *usual);
/* The factor without a file's say. */
double tern_factor_usual(const tern_factor *f, int hidden, int layers);

#endif
