/* Seeded permutations. */
#include "harness/order.h"

#include "engine/base/random.h"

/* Keeps these draws apart from weights and token ids under the same seed. */
static const uint64_t ORDER_STREAM = UINT64_C(0x6f72646572) << 20;

void tern_order(uint64_t seed, uint64_t turn, int *order, int n) {
  for (int i = 0; i < n; i++) order[i] = i;
  for (int i = n - 1; i > 0; i--) {
    uint64_t r = tern_random_at(seed, ORDER_STREAM + turn, (uint64_t)i);
    int j = (int)(tern_random_unit(r) * (i + 1));
    int swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
}
