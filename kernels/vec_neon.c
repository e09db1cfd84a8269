/* Vector operations: ARM Advanced SIMD. */
#include "kernels/lanes_neon.h"
#include "kernels/vec_tables.h"

#include "kernels/vec_ops.inc.h"

#include "kernels/vec_attend.inc.h"

#include "kernels/vec_table.inc.h"

TERN_VEC(neon, NEON);
