/* Vector operations: the definition, in plain C. */
#include "kernels/lanes_scalar.h"
#include "kernels/vec_tables.h"

#include "kernels/vec_ops.inc.h"

#include "kernels/vec_attend.inc.h"

#include "kernels/vec_table.inc.h"

TERN_VEC(scalar, SCALAR);
