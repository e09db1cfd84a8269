/* Memory latency: the time of one load that waits for the one before. */
#ifndef TERN_HARNESS_LATENCY_H
#define TERN_HARNESS_LATENCY_H

#include <stddef.h>

/* ns a load, best of several windows of some 2 ms, over the greatest power of
 * two of lines within `bytes`, in an order that no prefetcher follows. Writes
 * the buffer; 64-byte aligned. NAN where it holds fewer than two lines. */
double tern_latency_ns(void *data, size_t bytes);

#endif
