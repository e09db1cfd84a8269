/* t2 for AVX-VNNI: the VEX encoding, for CPUs without AVX-512. */
#include <immintrin.h>

#define DPBUSD "%{vex%} vpdpbusd"
#include "kernels/t2_vnni256.inc.h"

const tern_kernel tern_kernel_t2_avxvnni = {"t2_avxvnni", &tern_layout_t2, TERN_ISA_AVXVNNI, 0, run};
