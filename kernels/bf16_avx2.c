/* Bfloat16 weights: AVX2, FMA and F16C. */
#include "kernels/lanes_avx2.h"

#define FLOAT_ELEMENT uint16_t
#define FLOAT_LOAD lanes_load_bf16
#define FLOAT_WIDEN 1
#include "kernels/float_gemm.inc.h"

TERN_FLOAT_KERNEL(bf16, avx2, AVX2);
