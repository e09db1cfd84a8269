/* q8b32 for AVX2. */
#include <immintrin.h>

enum { BITS = 8, BLOCK = 32, LOWEST = -127 };
#include "kernels/blocks_avx2.inc.h"

const tern_kernel tern_kernel_q8b32_avx2 = {"q8b32_avx2", &tern_layout_q8b32, TERN_ISA_AVX2, 0, run};
