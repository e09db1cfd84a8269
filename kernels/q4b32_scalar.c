/* q4b32 in plain C: the definition that its other kernels must equal. */
#include <string.h>

enum { BITS = 4, BLOCK = 32, LOWEST = -8 };
#include "kernels/blocks_scalar.inc.h"

const tern_kernel tern_kernel_q4b32_scalar = {"q4b32_scalar", &tern_layout_q4b32, TERN_ISA_SCALAR, 0, run};
