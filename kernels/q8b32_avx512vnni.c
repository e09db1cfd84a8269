/* q8b32 for AVX-512 VNNI. */
#include <immintrin.h>

enum { BITS = 8, BLOCK = 32, LOWEST = -127 };
#include "kernels/blocks_avx512vnni.inc.h"

const tern_kernel tern_kernel_q8b32_avx512vnni = {"q8b32_avx512vnni", &tern_layout_q8b32, TERN_ISA_AVX512VNNI, 0, run};
