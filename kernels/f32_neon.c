/* Float weights: ARM Advanced SIMD. */
#include "kernels/lanes_neon.h"

#define FLOAT_ELEMENT float
#define FLOAT_LOAD lanes_load
#define FLOAT_WIDEN 0
#include "kernels/float_gemm.inc.h"

TERN_FLOAT_KERNEL(f32, neon, NEON);
