/* Read bandwidth. Every pass reads the whole buffer once, split over the
 * members; passes alternate between the readers of all instruction sets. */
#include "harness/bandwidth.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/base/team.h"
#include "kernels/read.h"

enum { MOST_READERS = 8, CHUNK = 4096 };

static const size_t LEAST_BYTES = (size_t)64 << 20, MOST_BYTES = (size_t)2 << 30;

struct tern_bandwidth {
  uint8_t *data;
  size_t bytes;
  const tern_reader *readers[MOST_READERS];
  int count;
};

static size_t buffer_bytes(size_t cache) {
  size_t bytes = tern_mul(cache, 5), share = tern_memory_available() / 8;
  if (bytes < LEAST_BYTES) bytes = LEAST_BYTES;
  if (bytes > MOST_BYTES) bytes = MOST_BYTES;
  if (bytes > share && share > LEAST_BYTES) bytes = share;
  return bytes / CHUNK * CHUNK;
}

int tern_bandwidth_open(tern_bandwidth **out, size_t last_level_cache, tern_error *e) {
  *out = NULL;
  tern_bandwidth *b = calloc(1, sizeof *b);
  if (!b) return tern_fail(e, TERN_FAILED, "bandwidth probe: out of memory");
  b->bytes = buffer_bytes(last_level_cache);
  b->data = tern_alloc(b->bytes, "bandwidth probe", e);
  if (!b->data) {
    free(b);
    return (int)e->status;
  }
  memset(b->data, 1, b->bytes); /* zero pages would all be one page in the cache */
  b->count = tern_readers(b->readers, MOST_READERS);
  *out = b;
  return 0;
}

typedef struct pass {
  const tern_bandwidth *b;
  const tern_reader *reader;
  _Atomic uint64_t sum; /* keeps the reads */
} pass;

static void read_part(void *arg, int member, int size) {
  pass *p = arg;
  int lo, hi;
  tern_split((int)(p->b->bytes / CHUNK), 1, member, size, &lo, &hi);
  p->sum ^= p->reader->run(p->b->data + (size_t)lo * CHUNK, (size_t)(hi - lo) * CHUNK);
}

int tern_bandwidth_measure(tern_bandwidth *b, int threads, const int *cpus, double seconds, double *gbs,
                           tern_error *e) {
  tern_team *team;
  if (tern_team_open(&team, threads, cpus, e)) return (int)e->status;
  double best = 0, begin = tern_now(), now = begin;
  for (int i = 0; i < b->count || now - begin < seconds; i++) {
    pass p = {b, b->readers[i % b->count], 0};
    double start = tern_now();
    tern_team_run(team, read_part, &p);
    now = tern_now();
    double rate = (double)b->bytes / (now - start) * 1e-9;
    if (rate > best) best = rate;
  }
  tern_team_close(team);
  *gbs = best;
  return 0;
}
