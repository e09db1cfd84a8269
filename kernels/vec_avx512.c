/* Vector operations: AVX-512. */
#include "kernels/lanes_avx512.h"
#include "kernels/vec_tables.h"

#include "kernels/vec_ops.inc.h"

#include "kernels/vec_attend.inc.h"

#include "kernels/vec_table.inc.h"

TERN_VEC(avx512, AVX512);
