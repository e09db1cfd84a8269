/* exp over 16 lanes (math_exp.h's constants), for files that have included
 * their lanes_<isa>.h. */
#ifndef TERN_KERNELS_LANES_EXP_H
#define TERN_KERNELS_LANES_EXP_H

#include <math.h>

#include "kernels/math_exp.h"

/* exp of x that is at most TERN_EXP_HIGH, or NaN. */
static inline lanes lanes_exp_low(lanes x) {
  lanes shifted = lanes_fma(x, lanes_all(TERN_EXP_LOG2E), lanes_all(TERN_EXP_ROUND));
  lanes n = lanes_sub(shifted, lanes_all(TERN_EXP_ROUND));
  lanes r = lanes_fma(n, lanes_all(-TERN_EXP_LN2_HIGH), x);
  r = lanes_fma(n, lanes_all(-TERN_EXP_LN2_LOW), r);
  lanes p = lanes_fma(lanes_all(TERN_EXP_C6), r, lanes_all(TERN_EXP_C5));
  p = lanes_fma(p, r, lanes_all(TERN_EXP_C4));
  p = lanes_fma(p, r, lanes_all(TERN_EXP_C3));
  p = lanes_fma(p, r, lanes_all(TERN_EXP_C2));
  p = lanes_fma(p, r, lanes_all(1.0f));
  p = lanes_fma(p, r, lanes_all(1.0f));
  p = lanes_exponent_add(p, shifted);
  p = lanes_select_less(x, lanes_all(TERN_EXP_LOW), lanes_all(0.0f), p);
  return lanes_keep_nan(x, p);
}

static inline lanes lanes_exp(lanes x) {
  return lanes_select_less(lanes_all(TERN_EXP_HIGH), x, lanes_all(INFINITY), lanes_exp_low(x));
}

#endif
