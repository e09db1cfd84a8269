/* Training operations: ARM Advanced SIMD. */
#include "kernels/lanes_neon.h"

#include "kernels/grad_dense.inc.h"
#include "kernels/grad_ops.inc.h"
#include "kernels/grad_table.inc.h"
#include "kernels/grad_tables.h"

TERN_GRAD(neon, NEON);
