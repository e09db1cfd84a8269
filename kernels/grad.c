/* The list of training tables and the choice among them. */
#include "kernels/grad.h"
#include "kernels/grad_tables.h"

static const tern_grad *const all[] = {&tern_grad_scalar,
#if defined(__x86_64__)
                                       &tern_grad_avx2, &tern_grad_avx512,
#elif defined(__aarch64__)
                                       &tern_grad_neon,
#endif
                                       NULL};

const tern_grad *const *tern_grads(void) {
  return all;
}

const tern_grad *tern_grad_find(tern_isa cap) {
  const tern_grad *best = &tern_grad_scalar;
  for (const tern_grad *const *g = all; *g; g++)
    if ((*g)->isa <= cap && tern_isa_usable((*g)->isa)) best = *g;
  return best;
}
