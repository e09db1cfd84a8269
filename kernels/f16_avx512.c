/* Half-precision weights: AVX-512. */
#include "kernels/lanes_avx512.h"

#define FLOAT_ELEMENT uint16_t
#define FLOAT_LOAD lanes_load_f16
#define FLOAT_WIDEN 1
#include "kernels/float_gemm.inc.h"

TERN_FLOAT_KERNEL(f16, avx512, AVX512);
