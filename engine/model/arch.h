/* Architectures as rows of one table that the one forward pass reads. A new
 * one is a row and, where tensor names differ, a name map. */
#ifndef TERN_MODEL_ARCH_H
#define TERN_MODEL_ARCH_H

#include <stdbool.h>

typedef enum tern_activation { TERN_ACT_RELU2, TERN_ACT_SILU } tern_activation;
typedef enum tern_rope { TERN_ROPE_NEOX, TERN_ROPE_INTERLEAVED } tern_rope;
typedef enum tern_norm {                 /* the norm at one place of the graph */
                         TERN_NORM_NONE, /* no norm */
                         TERN_NORM_GAIN, /* RMSNorm with gain tensor */
                         TERN_NORM_BARE  /* RMSNorm without gain */
} tern_norm;
typedef enum tern_head {
  TERN_HEAD_TIED, /* token_embd.weight; an output.weight in the file is not used */
  TERN_HEAD_OWN   /* output.weight where the file has it, else token_embd.weight */
} tern_head;

typedef struct tern_arch {
  const char *name; /* general.architecture */
  tern_activation activation;
  tern_rope rope;
  tern_norm attn_norm, attn_sub_norm, ffn_norm, ffn_sub_norm;
  double norm_eps_bare; /* epsilon of bare norms */
  tern_head head;
  bool matrix_scales; /* a projection may have a one-number tensor <name>.scale beside it */
  const char *note;   /* which models */
} tern_arch;

const tern_arch *tern_arch_find(const char *name); /* NULL: not supported */
/* i-th row, NULL past the end. */
const tern_arch *tern_arch_at(int i);

#endif
