/* Measured read bandwidth: what a team of threads gets out of memory when all
 * it does is read. Shares its machine with everything else, so measure it
 * beside the figure it is compared with. */
#ifndef TERN_HARNESS_BANDWIDTH_H
#define TERN_HARNESS_BANDWIDTH_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_bandwidth tern_bandwidth;

typedef enum tern_pages { TERN_PAGES_HUGE, TERN_PAGES_SMALL, TERN_PAGES_KINDS } tern_pages;
const char *tern_pages_name(tern_pages pages); /* "huge", "small" */

/* A buffer beyond four times `last_level_cache` bytes, less where memory is
 * short; transparent huge pages are asked for or declined. */
int tern_bandwidth_open(tern_bandwidth **out, size_t last_level_cache, tern_pages pages, tern_error *e);
void tern_bandwidth_close(tern_bandwidth *b); /* NULL allowed */
size_t tern_bandwidth_bytes(const tern_bandwidth *b);
void *tern_bandwidth_data(tern_bandwidth *b);
/* Share of the buffer that lies on huge pages, as the kernel tells after the
 * first measurement; 0 where it does not tell. */
double tern_bandwidth_huge_share(const tern_bandwidth *b);

/* The usable readers. */
int tern_bandwidth_readers(const tern_bandwidth *b);
const char *tern_bandwidth_reader(const tern_bandwidth *b, int index);

/* GB/s (1e9) of passes over the buffer, one reader's. */
typedef struct tern_bandwidth_rate {
  double best, mean;
} tern_bandwidth_rate;

/* About `seconds` of reading, and at least one pass a reader, by `threads`
 * bound to `cpus` (NULL: not bound); readers take turns. rates[readers]. On
 * several NUMA nodes each thread first touches what it reads. */
int tern_bandwidth_each(tern_bandwidth *b, int threads, const int *cpus, double seconds, tern_bandwidth_rate *rates,
                        tern_error *e);
/* The best pass of the best reader. */
int tern_bandwidth_measure(tern_bandwidth *b, int threads, const int *cpus, double seconds, double *gbs, tern_error *e);

#endif
