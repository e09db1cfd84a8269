/* t2b64 in plain C: the definition that its other kernels must equal. */
#include <string.h>

enum { BITS = 2, BLOCK = 64, LOWEST = -1 };
#include "kernels/blocks_scalar.inc.h"

const tern_kernel tern_kernel_t2b64_scalar = {"t2b64_scalar", &tern_layout_t2b64, TERN_ISA_SCALAR, 0, run};
