/* Aligned memory. Large blocks are whole pages of their own with transparent
 * huge pages asked for (5-12 % of decode bandwidth on 4 KiB-page hosts). */
#ifndef TERN_BASE_MEMORY_H
#define TERN_BASE_MEMORY_H

#include <stddef.h>

#include "engine/base/error.h"

/* 64-byte aligned (2 MiB-aligned huge-page candidates from 1 MiB up), zeroed.
 * NULL and *e filled on failure, naming `what` and the bytes. */
void *tern_alloc(size_t bytes, const char *what, tern_error *e);
/* Frees what tern_alloc gave; `bytes` as asked. NULL allowed. */
void tern_free(void *p, size_t bytes);

/* One block for many parts, so that small ones lie on huge pages too: a part of
 * less than 2 MiB never does by itself. Under AddressSanitizer every part is a
 * block of its own. */
typedef struct tern_pool {
  unsigned char *base; /* NULL: every part is a block */
  size_t bytes, used;
} tern_pool;
int tern_pool_open(tern_pool *p, size_t bytes, const char *what, tern_error *e);
/* 64-byte aligned, zeroed; the parts' sum, each rounded up to 64, must fit. */
void *tern_pool_take(tern_pool *p, size_t bytes, const char *what, tern_error *e);
/* Frees a part that is a block of its own; others go with the pool. */
void tern_pool_give(const tern_pool *p, void *part, size_t bytes);
void tern_pool_close(tern_pool *p);
/* Bytes that a part takes of its pool. */
size_t tern_pool_part(size_t bytes);

/* a * b or SIZE_MAX on overflow: the allocation then fails cleanly. */
size_t tern_mul(size_t a, size_t b);

/* Bytes available to this process now: min(MemAvailable, cgroup limit - use). */
size_t tern_memory_available(void);

#endif
