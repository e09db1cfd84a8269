/* t2 for AVX-512 VNNI at 256 bits: the EVEX encoding. */
#include <immintrin.h>

#define DPBUSD "%{evex%} vpdpbusd"
#include "kernels/t2_vnni256.inc.h"

const tern_kernel tern_kernel_t2_avx512vlvnni = {"t2_avx512vlvnni", &tern_layout_t2, TERN_ISA_AVX512VLVNNI, 0, run};
