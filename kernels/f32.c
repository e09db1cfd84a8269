/* Layout f32: float weights as they are, in panels of 64 rows. */
#define FLOAT_ELEMENT float
#define FLOAT_PUT(v, d, s, n) memcpy(d, s, (n) * sizeof(float))
#define FLOAT_GET(w) (w)
#include "kernels/float_layout.inc.h"

TERN_FLOAT_LAYOUT(f32, "float weights, panels of 64 rows column by column");
