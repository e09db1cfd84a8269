/* t5 for AVX-VNNI: the VEX encoding, for CPUs without AVX-512. */
#include <immintrin.h>

#define DPBUSD "%{vex%} vpdpbusd"
#include "kernels/t5_vnni256.inc.h"

const tern_kernel tern_kernel_t5_avxvnni = {"t5_avxvnni", &tern_layout_t5, TERN_ISA_AVXVNNI, 0, run};
