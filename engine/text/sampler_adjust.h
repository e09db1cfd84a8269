/* What changes logits before a choice is made: biases of single ids, and
 * penalties on ids that the text already has. Inside of the sampler. */
#ifndef TERN_TEXT_SAMPLER_ADJUST_H
#define TERN_TEXT_SAMPLER_ADJUST_H

#include "engine/text/sampler.h"

typedef struct tern_adjust tern_adjust;

bool tern_adjust_wanted(const tern_sampler_params *p);
int tern_adjust_open(tern_adjust **out, int vocab, const tern_sampler_params *p, tern_error *e);
void tern_adjust_close(tern_adjust *a); /* NULL allowed */
void tern_adjust_accept(tern_adjust *a, int32_t id);
/* In place. */
void tern_adjust_apply(const tern_adjust *a, float *logits);
/* How many ids it changes now; *raises: some logit may become greater. */
int tern_adjust_count(const tern_adjust *a, bool *raises);

#endif
