/* What the generator must know of an architecture: the parts its layers have
 * and the keys its readers ask for. */
#ifndef TERN_FORMAT_SYNTH_ARCHS_H
#define TERN_FORMAT_SYNTH_ARCHS_H

enum { SYNTH_SUB_NORM = 1, SYNTH_QKV_BIAS = 2, SYNTH_QK_NORM = 4, SYNTH_POST_NORM = 8 };

typedef struct synth_arch {
  const char *name;
  unsigned parts;
  float eps;
  int sliding_window;    /* 0: none */
  float embedding_scale; /* 0: no such keys */
  float residual_depth;  /* residual scale is this / sqrt(layers) */
  float logit_width;     /* logit scale is this / hidden */
} synth_arch;

const synth_arch *tern_synth_arch(const char *name); /* NULL: none */

#endif
