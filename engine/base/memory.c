/* Aligned, zeroed memory. From 1 MiB up a block is a mapping of its own,
 * aligned to 2 MiB and advised to use huge pages. Under AddressSanitizer every
 * block comes from the checked heap, so that overruns are seen. */
#include "engine/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHECKED_HEAP 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CHECKED_HEAP 1
#endif

enum { LINE = 64, HUGE_PAGE = 2 << 20 };
#ifdef CHECKED_HEAP
static const size_t mapped_from = SIZE_MAX;
#else
static const size_t mapped_from = 1 << 20;
#endif

static size_t round_up(size_t n, size_t unit) {
  return (n + unit - 1) / unit * unit;
}

static size_t page_size(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

/* A mapping whose start is a multiple of 2 MiB: map more, give the rest back. */
static void *map_aligned(size_t bytes) {
  size_t size = round_up(bytes, page_size());
  uint8_t *p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  size_t head = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
  if (head) munmap(p, head);
  munmap(p + head + size, HUGE_PAGE - head);
  madvise(p + head, size, MADV_HUGEPAGE); /* a wish: kernels without it just don't */
  return p + head;
}

void *tern_alloc(size_t bytes, const char *what, tern_error *e) {
  void *p = NULL;
  if (bytes < SIZE_MAX - 2 * (size_t)HUGE_PAGE) {
    if (bytes >= mapped_from) {
      p = map_aligned(bytes);
    } else {
      size_t size = round_up(bytes ? bytes : 1, LINE);
      p = aligned_alloc(LINE, size);
      if (p) memset(p, 0, size);
    }
  }
  if (!p && bytes == SIZE_MAX) {
    tern_fail(e, TERN_FAILED, "%s: size overflows", what);
  } else if (!p) {
    tern_fail(e, TERN_FAILED, "%s: out of memory (%zu bytes asked, %zu available)", what, bytes,
              tern_memory_available());
  }
  return p;
}

void tern_free(void *p, size_t bytes) {
  if (!p) return;
  if (bytes >= mapped_from) {
    munmap(p, round_up(bytes, page_size()));
  } else {
    free(p);
  }
}

size_t tern_mul(size_t a, size_t b) {
  size_t product;
  return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

size_t tern_pool_part(size_t bytes) {
  return bytes > SIZE_MAX - LINE ? SIZE_MAX : round_up(bytes, LINE);
}

int tern_pool_open(tern_pool *p, size_t bytes, const char *what, tern_error *e) {
  *p = (tern_pool){0};
  if (mapped_from == SIZE_MAX) return 0;
  p->base = tern_alloc(bytes, what, e);
  p->bytes = p->base ? bytes : 0;
  return p->base ? 0 : TERN_FAILED;
}

void *tern_pool_take(tern_pool *p, size_t bytes, const char *what, tern_error *e) {
  size_t part = tern_pool_part(bytes);
  if (!p->base) return tern_alloc(bytes, what, e);
  if (part > p->bytes - p->used) {
    tern_fail(e, TERN_FAILED, "%s: %zu bytes do not fit what was set aside", what, bytes);
    return NULL;
  }
  void *at = p->base + p->used;
  p->used += part;
  return at;
}

void tern_pool_give(const tern_pool *p, void *part, size_t bytes) {
  if (!p->base) tern_free(part, bytes);
}

void tern_pool_close(tern_pool *p) {
  tern_free(p->base, p->bytes);
  *p = (tern_pool){0};
}
