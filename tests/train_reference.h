/* The training forward pass once more, plainly and in double. Rounding of
 * weights and activations is an offset that is found once and then stays, so
 * that the slope of this function is the straight-through gradient. */
#ifndef TERN_TESTS_TRAIN_REFERENCE_H
#define TERN_TESTS_TRAIN_REFERENCE_H

#include "engine/train/model.h"

typedef struct reference {
  const tern_net *net; /* prepared */
  const tern_train_slice *slice;
  double *weights;      /* arena; the test moves single ones */
  double *weight_shift; /* arena: rounded minus own */
  double **input_shift; /* [layers * TERN_TRAIN_LINEARS]: [tokens][cols] */
} reference;

void reference_open(reference *r, const tern_net *net, const tern_train_slice *slice);
double reference_loss(const reference *r);
void reference_close(reference *r);

#endif
