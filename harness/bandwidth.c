/* Read bandwidth. Every pass reads the whole buffer once, split over the
 * members; passes alternate between the readers of all instruction sets. */
#include "harness/bandwidth.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/base/team.h"
#include "harness/system.h"
#include "kernels/read.h"

enum { MOST_READERS = 16, CHUNK = 4096 };

static const size_t LEAST_BYTES = (size_t)64 << 20, MOST_BYTES = (size_t)2 << 30;

struct tern_bandwidth {
  uint8_t *data;
  size_t bytes;
  const tern_reader *readers[MOST_READERS];
  int count;
  int touched; /* size of the team that first touched the buffer; 0: none yet */
  bool several_nodes;
};

const char *tern_pages_name(tern_pages pages) {
  static const char *const names[TERN_PAGES_KINDS] = {"huge", "small"};
  return names[pages];
}

static size_t buffer_bytes(size_t cache) {
  size_t bytes = tern_mul(cache, 5), share = tern_memory_available() / 8;
  if (bytes < LEAST_BYTES) bytes = LEAST_BYTES;
  if (bytes > MOST_BYTES) bytes = MOST_BYTES;
  if (bytes > share && share > LEAST_BYTES) bytes = share;
  return bytes / CHUNK * CHUNK;
}

int tern_bandwidth_open(tern_bandwidth **out, size_t last_level_cache, tern_pages pages, tern_error *e) {
  *out = NULL;
  tern_bandwidth *b = calloc(1, sizeof *b);
  if (!b) return tern_fail(e, TERN_FAILED, "bandwidth probe: out of memory");
  b->bytes = buffer_bytes(last_level_cache);
  b->data = tern_alloc(b->bytes, "bandwidth probe", e);
  if (!b->data) {
    free(b);
    return (int)e->status;
  }
  if (pages == TERN_PAGES_SMALL) madvise(b->data, b->bytes, MADV_NOHUGEPAGE); /* a wish, as the other */
  b->count = tern_readers(b->readers, MOST_READERS);
  char nodes[64];
  tern_first_line("", "/sys/devices/system/node/online", nodes, sizeof nodes);
  b->several_nodes = nodes[0] && strcmp(nodes, "0") != 0;
  *out = b;
  return 0;
}

void tern_bandwidth_close(tern_bandwidth *b) {
  if (!b) return;
  tern_free(b->data, b->bytes);
  free(b);
}

size_t tern_bandwidth_bytes(const tern_bandwidth *b) {
  return b->bytes;
}

void *tern_bandwidth_data(tern_bandwidth *b) {
  return b->data;
}

int tern_bandwidth_readers(const tern_bandwidth *b) {
  return b->count;
}

const char *tern_bandwidth_reader(const tern_bandwidth *b, int index) {
  return b->readers[index]->name;
}

double tern_bandwidth_huge_share(const tern_bandwidth *b) {
  char line[256];
  size_t huge = 0;
  bool within = false;
  FILE *f = fopen("/proc/self/smaps", "re");
  while (f && fgets(line, sizeof line, f)) {
    uintptr_t from, to;
    size_t kib;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
      within = from < (uintptr_t)b->data + b->bytes && to > (uintptr_t)b->data;
    else if (within && sscanf(line, "AnonHugePages: %zu", &kib) == 1)
      huge += kib * 1024;
  }
  if (f) fclose(f);
  double share = (double)huge / (double)b->bytes;
  return share > 1 ? 1 : share; /* neighbours may have been merged into the mapping */
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

static void fill_part(void *arg, int member, int size) {
  const tern_bandwidth *b = arg;
  int lo, hi;
  tern_split((int)(b->bytes / CHUNK), 1, member, size, &lo, &hi);
  memset(b->data + (size_t)lo * CHUNK, 1,
         (size_t)(hi - lo) * CHUNK); /* zero pages would all be one page in the cache */
}

/* Every member touches its own part first, so that it lies on its node. */
static void touch(tern_bandwidth *b, tern_team *team) {
  const int size = tern_team_size(team);
  if (b->touched == size || (b->touched && !b->several_nodes)) return;
  if (b->touched) madvise(b->data, b->bytes, MADV_DONTNEED);
  tern_team_run(team, fill_part, b);
  b->touched = size;
}

int tern_bandwidth_each(tern_bandwidth *b, int threads, const int *cpus, double seconds, tern_bandwidth_rate *rates,
                        tern_error *e) {
  tern_team *team;
  if (tern_team_open(&team, threads, cpus, e)) return (int)e->status;
  double spent[MOST_READERS] = {0}, begin, now;
  int passes[MOST_READERS] = {0};
  for (int i = 0; i < b->count; i++) rates[i] = (tern_bandwidth_rate){0};
  touch(b, team);
  begin = now = tern_now();
  for (int i = 0; i < b->count || now - begin < seconds; i++) {
    const int r = i % b->count;
    pass p = {b, b->readers[r], 0};
    double start = tern_now();
    tern_team_run(team, read_part, &p);
    now = tern_now();
    double rate = (double)b->bytes / (now - start) * 1e-9;
    if (rate > rates[r].best) rates[r].best = rate;
    spent[r] += now - start;
    passes[r]++;
  }
  tern_team_close(team);
  for (int i = 0; i < b->count; i++) rates[i].mean = (double)b->bytes * passes[i] / spent[i] * 1e-9;
  return 0;
}

int tern_bandwidth_measure(tern_bandwidth *b, int threads, const int *cpus, double seconds, double *gbs,
                           tern_error *e) {
  tern_bandwidth_rate rates[MOST_READERS];
  if (tern_bandwidth_each(b, threads, cpus, seconds, rates, e)) return (int)e->status;
  *gbs = 0;
  for (int i = 0; i < b->count; i++) *gbs = rates[i].best > *gbs ? rates[i].best : *gbs;
  return 0;
}
