/* Vector operations: AVX2 and FMA. */
#include "kernels/lanes_avx2.h"
#include "kernels/vec_tables.h"

#include "kernels/vec_ops.inc.h"

#include "kernels/vec_attend.inc.h"

#include "kernels/vec_table.inc.h"

TERN_VEC(avx2, AVX2);
