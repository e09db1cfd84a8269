/* q4b32 for AVX-512 VNNI. */
#include <immintrin.h>

enum { BITS = 4, BLOCK = 32, LOWEST = -8 };
#include "kernels/blocks_avx512vnni.inc.h"

const tern_kernel tern_kernel_q4b32_avx512vnni = {"q4b32_avx512vnni", &tern_layout_q4b32, TERN_ISA_AVX512VNNI, 0, run};
