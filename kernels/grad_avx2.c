/* Training operations: AVX2 and FMA. */
#include "kernels/lanes_avx2.h"

#include "kernels/grad_dense.inc.h"
#include "kernels/grad_ops.inc.h"
#include "kernels/grad_table.inc.h"
#include "kernels/grad_tables.h"

TERN_GRAD(avx2, AVX2);
