/* t2 for the ARMv8.2 dot product. */
#include "kernels/t2_neon.h"

#include "kernels/neondot_tiles.h"

const tern_kernel tern_kernel_t2_neondot = {"t2_neondot", &tern_layout_t2, TERN_ISA_NEONDOT, 0, run};
