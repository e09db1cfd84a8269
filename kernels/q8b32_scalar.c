/* q8b32 in plain C: the definition that its other kernels must equal. */
#include <string.h>

enum { BITS = 8, BLOCK = 32, LOWEST = -127 };
#include "kernels/blocks_scalar.inc.h"

const tern_kernel tern_kernel_q8b32_scalar = {"q8b32_scalar", &tern_layout_q8b32, TERN_ISA_SCALAR, 0, run};
