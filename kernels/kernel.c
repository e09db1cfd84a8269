/* The kernel registry: kernels.def as a table. */
#include "kernels/kernel.h"

#define TERN_KERNEL(layout, isa) extern const tern_kernel tern_kernel_##layout##_##isa;
#include "kernels/kernels.def"
#undef TERN_KERNEL

static const tern_kernel *const all[] = {
#define TERN_KERNEL(layout, isa) &tern_kernel_##layout##_##isa,
#include "kernels/kernels.def"
#undef TERN_KERNEL
    NULL};

const tern_kernel *const *tern_kernels(void) {
  return all;
}

const tern_kernel *tern_kernel_find(const tern_layout *layout, tern_isa cap) {
  const tern_kernel *best = NULL;
  for (const tern_kernel *const *k = all; *k; k++) {
    if ((*k)->layout != layout || (*k)->isa > cap || !tern_isa_usable((*k)->isa)) continue;
    if (!best || (*k)->isa > best->isa) best = *k;
  }
  return best;
}
