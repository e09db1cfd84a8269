/* q8 for AVX-512 VNNI at 256 bits: the EVEX encoding. */
#include <immintrin.h>

#define DPBUSD "%{evex%} vpdpbusd"
#include "kernels/q8_vnni256.inc.h"

const tern_kernel tern_kernel_q8_avx512vlvnni = {"q8_avx512vlvnni", &tern_layout_q8, TERN_ISA_AVX512VLVNNI, 0, run};
