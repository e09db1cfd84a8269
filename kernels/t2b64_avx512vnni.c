/* t2b64 for AVX-512 VNNI. */
#include <immintrin.h>

enum { BITS = 2, BLOCK = 64, LOWEST = -1 };
#include "kernels/blocks_avx512vnni.inc.h"

const tern_kernel tern_kernel_t2b64_avx512vnni = {"t2b64_avx512vnni", &tern_layout_t2b64, TERN_ISA_AVX512VNNI, 0, run};
