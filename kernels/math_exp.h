/* Constants of the float exponential, shared by tern_expf and the lanes.
 *   n = round(x log2 e), r = x - n ln 2 (ln 2 in two parts, by fma),
 *   exp(r) = 1 + r + r^2 (C2 + r (C3 + ...)), n added to the exponent field.
 * C2..C6 minimise the largest relative error on |r| <= ln(2)/2: 3.1e-9 (Remez
 * exchange in 50 digits). Below LOW the result would be subnormal and is 0;
 * above HIGH it is infinity. */
#ifndef TERN_KERNELS_MATH_EXP_H
#define TERN_KERNELS_MATH_EXP_H

#define TERN_EXP_LOW -0x1.5d589ep6f /* smallest float with exp >= 2^-126 */
#define TERN_EXP_HIGH 0x1.62e42ep6f /* largest float with exp <= FLT_MAX */
#define TERN_EXP_LOG2E 0x1.715476p0f
#define TERN_EXP_LN2_HIGH 0x1.62e43p-1f
#define TERN_EXP_LN2_LOW -0x1.05c61p-29f
#define TERN_EXP_ROUND 0x1.8p23f /* adding it leaves the nearest integer in the low bits */
#define TERN_EXP_C2 0x1.fffffcp-2f
#define TERN_EXP_C3 0x1.555492p-3f
#define TERN_EXP_C4 0x1.5558f4p-5f
#define TERN_EXP_C5 0x1.123a2p-7f
#define TERN_EXP_C6 0x1.6a23c2p-10f

#endif
