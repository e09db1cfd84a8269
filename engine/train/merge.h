/* Weights of a net from what a file says, and adapters made part of them. */
#ifndef TERN_TRAIN_MERGE_H
#define TERN_TRAIN_MERGE_H

#include "engine/train/trainer.h"

/* Sets masters of a matrix, such that the forward pass makes exactly these codes
 * [rows][cols] and this scale of them. Returns 1 when the scale is none that it
 * makes: not an f16 number, or below 1e-5. */
int tern_net_put_codes(tern_net *n, const tern_param *matrix, const int8_t *codes, float scale);

/* What merging did to ternary matrices. */
typedef struct tern_train_merged {
  size_t codes, changed; /* of adapted matrices */
  double lost;           /* RMS of what rounding took, over that of the update */
} tern_train_merged;

/* Adds the adapters to the base and empties them. Ternary: code * scale + update
 * is rounded to the nearest code times that scale, which loses most of a small
 * update. */
int tern_train_merge(tern_trainer *t, tern_train_merged *out, tern_error *e);

/* The base's values as the forward pass has them, as a number of 63 bits. The net is prepared. */
uint64_t tern_net_fingerprint(const tern_net *n);

#endif
