/* Where our baselines stand beside the best outside engine: a speedup over a
 * baseline that may be slow is provisional. */
#ifndef TERN_BASELINES_STANDING_H
#define TERN_BASELINES_STANDING_H

/* NULL when the kernel was measured no slower than the better of llama.cpp and
 * ik_llama.cpp in prefill and decode (docs/performance.md); else why a speedup
 * over it is provisional. Ternary kernels are no baseline: NULL. */
const char *tern_baseline_doubt(const char *kernel);

#endif
