/* Float weights: AVX2, FMA and F16C. */
#include "kernels/lanes_avx2.h"

#define FLOAT_ELEMENT float
#define FLOAT_LOAD lanes_load
#define FLOAT_WIDEN 0
#include "kernels/float_gemm.inc.h"

TERN_FLOAT_KERNEL(f32, avx2, AVX2);
