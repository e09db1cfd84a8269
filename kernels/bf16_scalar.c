/* Bfloat16 weights: plain C, the definition. */
#include "kernels/lanes_scalar.h"

#define FLOAT_ELEMENT uint16_t
#define FLOAT_LOAD lanes_load_bf16
#define FLOAT_WIDEN 1
#include "kernels/float_gemm.inc.h"

TERN_FLOAT_KERNEL(bf16, scalar, SCALAR);
