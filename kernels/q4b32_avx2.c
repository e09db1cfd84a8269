/* q4b32 for AVX2. */
#include <immintrin.h>

enum { BITS = 4, BLOCK = 32, LOWEST = -8 };
#include "kernels/blocks_avx2.inc.h"

const tern_kernel tern_kernel_q4b32_avx2 = {"q4b32_avx2", &tern_layout_q4b32, TERN_ISA_AVX2, 0, run};
