/* Reading memory as fast as an instruction set allows: the ceiling that
 * decoding is compared with. */
#ifndef TERN_KERNELS_READ_H
#define TERN_KERNELS_READ_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu.h"

typedef struct tern_reader {
  const char *name; /* "read_avx2" */
  tern_isa isa;
  /* XOR of all 64-bit words. p is 64-byte aligned, bytes a multiple of 1024. */
  uint64_t (*run)(const void *p, size_t bytes);
} tern_reader;

extern const tern_reader tern_reader_scalar, tern_reader_avx2, tern_reader_avx512, tern_reader_neon;

/* All readers usable here, NULL-terminated, at most `room` - 1 of them. */
int tern_readers(const tern_reader **out, int room);

#endif
