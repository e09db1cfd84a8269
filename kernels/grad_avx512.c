/* Training operations: AVX-512. */
#include "kernels/lanes_avx512.h"

#include "kernels/grad_dense.inc.h"
#include "kernels/grad_ops.inc.h"
#include "kernels/grad_table.inc.h"
#include "kernels/grad_tables.h"

TERN_GRAD(avx512, AVX512);
