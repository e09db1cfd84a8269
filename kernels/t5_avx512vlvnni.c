/* t5 for AVX-512 VNNI at 256 bits: the EVEX encoding. */
#include <immintrin.h>

#define DPBUSD "%{evex%} vpdpbusd"
#include "kernels/t5_vnni256.inc.h"

const tern_kernel tern_kernel_t5_avx512vlvnni = {"t5_avx512vlvnni", &tern_layout_t5, TERN_ISA_AVX512VLVNNI, 0, run};
