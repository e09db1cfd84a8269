/* Kernels proven in races against the best outside engines; a new entry needs
 * its figures in docs/performance.md. */
#include "baselines/standing.h"

#include <stddef.h>
#include <string.h>

static const char *const proven[] = {"f16_avx512", "q8_avx512vnni"};
static const char *const ternary[] = {"t2_", "t5_"};

const char *tern_baseline_doubt(const char *kernel) {
  for (size_t i = 0; i < sizeof ternary / sizeof *ternary; i++) {
    if (strncmp(kernel, ternary[i], strlen(ternary[i])) == 0) return NULL;
  }
  for (size_t i = 0; i < sizeof proven / sizeof *proven; i++) {
    size_t n = strlen(proven[i]);
    if (strncmp(kernel, proven[i], n) == 0 && (kernel[n] == '\0' || kernel[n] == '+')) return NULL;
  }
  return "this baseline's kernel has not been measured against llama.cpp and ik_llama.cpp";
}
