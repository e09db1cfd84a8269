/* Choosing the next token: greedy, or seeded temperature / top-k / top-p /
 * min-p sampling. Same logits and seed give the same token everywhere. */
#ifndef TERN_TEXT_SAMPLER_H
#define TERN_TEXT_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"

typedef struct tern_sampler_params {
  float temperature; /* 0: greedy; ties go to the lowest id */
  int top_k;         /* 0: off */
  float top_p;       /* 1: off */
  float min_p;       /* 0: off */
  uint64_t seed;
} tern_sampler_params;

/* Which logits a draw depends on: the *k greatest (0: any number), as far as
 * they are within *floor of the greatest; -INFINITY in place of the others gives
 * the same token. False: all of them. */
bool tern_sampler_reach(const tern_sampler_params *p, int *k, float *floor);

typedef struct tern_sampler tern_sampler;
int tern_sampler_open(tern_sampler **out, int vocab, const tern_sampler_params *p, tern_error *e);
void tern_sampler_close(tern_sampler *s);
/* Returns the id, or -1 when no logit is finite. Draw i depends on seed and i only. */
int32_t tern_sampler_next(tern_sampler *s, const float *logits);

/* Index of the greatest logit, lowest on ties; -1 when none is finite. */
int32_t tern_argmax(const float *logits, int n);

#endif
