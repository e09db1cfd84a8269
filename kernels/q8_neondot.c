/* q8 for the ARMv8.2 dot product. */
#include "kernels/q8_neon.h"

#include "kernels/neondot_tiles.h"

const tern_kernel tern_kernel_q8_neondot = {"q8_neondot", &tern_layout_q8, TERN_ISA_NEONDOT, 0, run};
