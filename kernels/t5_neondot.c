/* t5 for the ARMv8.2 dot product. */
#include "kernels/t5_neon.h"

#include "kernels/neondot_tiles.h"

const tern_kernel tern_kernel_t5_neondot = {"t5_neondot", &tern_layout_t5, TERN_ISA_NEONDOT, 0, run};
