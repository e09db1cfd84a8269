/* The table of readers. */
#include "kernels/read.h"

static const tern_reader *const readers[] = {
    &tern_reader_scalar,
#if defined(__x86_64__)
    &tern_reader_avx2,
    &tern_reader_avx512,
#endif
#if defined(__aarch64__)
    &tern_reader_neon,
#endif
};

int tern_readers(const tern_reader **out, int room) {
  int n = 0;
  for (size_t i = 0; i < sizeof readers / sizeof *readers && n < room - 1; i++)
    if (tern_isa_usable(readers[i]->isa)) out[n++] = readers[i];
  out[n] = NULL;
  return n;
}
