/* Trial of the ARMv8.2 dot-product level. */
#include <arm_neon.h>

int tern_trial_neondot(void);

int tern_trial_neondot(void) {
  volatile signed char seed = -3;
  const int32x4_t sum = vdotq_s32(vdupq_n_s32(5), vdupq_n_s8(seed), vdupq_n_s8(2));
  return vaddvq_s32(sum) == 4 * (5 - 4 * 2 * 3);
}
