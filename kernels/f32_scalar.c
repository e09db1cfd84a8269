/* Float weights: plain C, the definition. */
#include "kernels/lanes_scalar.h"

#define FLOAT_ELEMENT float
#define FLOAT_LOAD lanes_load
#define FLOAT_WIDEN 0
#include "kernels/float_gemm.inc.h"

TERN_FLOAT_KERNEL(f32, scalar, SCALAR);
