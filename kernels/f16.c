/* Layout f16: IEEE half weights, rounded to nearest even, in panels of 64 rows. */
#include "kernels/math_half.h"

#define FLOAT_ELEMENT uint16_t
#define FLOAT_PUT(v, d, s, n) (v)->f32_to_f16(d, s, n)
#define FLOAT_GET(w) tern_f16_to_f32(w)
#include "kernels/float_layout.inc.h"

TERN_FLOAT_LAYOUT(f16, "half-precision weights, panels of 64 rows column by column");
