/* t2b128 for AVX2. */
#include <immintrin.h>

enum { BITS = 2, BLOCK = 128, LOWEST = -1 };
#include "kernels/blocks_avx2.inc.h"

const tern_kernel tern_kernel_t2b128_avx2 = {"t2b128_avx2", &tern_layout_t2b128, TERN_ISA_AVX2, 0, run};
