/* t2 for ARMv8.0 (Cortex-A53, A72): byte products added up in 16 bits. */
#include "kernels/t2_neon.h"

#include "kernels/neon_tiles.h"

const tern_kernel tern_kernel_t2_neon = {"t2_neon", &tern_layout_t2, TERN_ISA_NEON, 0, run};
