/* The kernel checker as a plain program: runs natively in ctest and, built
 * statically for ARM, under qemu. Arguments: [filter [seed [level]]]. */
#include <stdlib.h>

#include "harness/kernel_check.h"

int main(int argc, char **argv) {
  const char *filter = argc > 1 && argv[1][0] ? argv[1] : NULL;
  const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  const int level = argc > 3 ? tern_isa_parse(argv[3]) : TERN_ISA_COUNT;
  if (level < 0) {
    fprintf(stderr, "%s: unknown level\n", argv[3]);
    return 2;
  }
  return tern_kernel_check(filter, seed, (tern_isa)level, stdout) == 0 ? 0 : 1;
}
