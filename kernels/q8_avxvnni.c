/* q8 for AVX-VNNI: the VEX encoding, for CPUs without AVX-512. */
#include <immintrin.h>

#define DPBUSD "%{vex%} vpdpbusd"
#include "kernels/q8_vnni256.inc.h"

const tern_kernel tern_kernel_q8_avxvnni = {"q8_avxvnni", &tern_layout_q8, TERN_ISA_AVXVNNI, 0, run};
