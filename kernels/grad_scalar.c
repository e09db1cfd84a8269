/* Training operations: plain C. */
#include "kernels/lanes_scalar.h"

#include "kernels/grad_dense.inc.h"
#include "kernels/grad_ops.inc.h"
#include "kernels/grad_table.inc.h"
#include "kernels/grad_tables.h"

TERN_GRAD(scalar, SCALAR);
