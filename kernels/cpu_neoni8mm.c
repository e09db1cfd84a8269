/* Trial of the ARMv8.6 int8 matrix-product level. */
#include <arm_neon.h>

int tern_trial_neoni8mm(void);

int tern_trial_neoni8mm(void) {
  volatile signed char seed = -3;
  const int32x4_t sum = vmmlaq_s32(vdupq_n_s32(5), vdupq_n_s8(seed), vdupq_n_s8(2));
  return vaddvq_s32(sum) == 4 * (5 - 8 * 2 * 3);
}
