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

/* a * b or SIZE_MAX on overflow: the allocation then fails cleanly. */
size_t tern_mul(size_t a, size_t b);

/* Bytes available to this process now: min(MemAvailable, cgroup limit - use). */
size_t tern_memory_available(void);

#endif
