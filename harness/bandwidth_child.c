/* The bandwidth probe as a child process. */
#include "harness/bandwidth_child.h"

#include <stdlib.h>

#include "harness/bandwidth.h"
#include "harness/child.h"

/* Long enough for some ten passes, short beside a block. */
static const double PROBE_S = 0.1;

typedef struct reply {
  tern_error error;
  double gbs;
} reply;

struct tern_bandwidth_child {
  tern_child *child;
  size_t cache;
  const int *cpus;
  tern_bandwidth *probe; /* the child's */
};

static void serve(void *arg, const void *request, void *reply_bytes) {
  tern_bandwidth_child *b = arg;
  reply *r = reply_bytes;
  if (!b->probe && tern_bandwidth_open(&b->probe, b->cache, &r->error)) return;
  tern_bandwidth_measure(b->probe, *(const int *)request, b->cpus, PROBE_S, &r->gbs, &r->error);
}

int tern_bandwidth_child_start(tern_bandwidth_child **out, size_t last_level_cache, const int *cpus, tern_error *e) {
  *out = NULL;
  tern_bandwidth_child *b = calloc(1, sizeof *b);
  if (!b) return tern_fail(e, TERN_FAILED, "bandwidth probe: out of memory");
  b->cache = last_level_cache;
  b->cpus = cpus;
  if (tern_child_start(&b->child, "bandwidth probe", serve, b, sizeof(int), sizeof(reply), e)) {
    free(b);
    return (int)e->status;
  }
  *out = b;
  return 0;
}

int tern_bandwidth_child_measure(tern_bandwidth_child *b, int threads, double *gbs, tern_error *e) {
  reply r;
  if (tern_child_call(b->child, &threads, &r, e)) return (int)e->status;
  if (r.error.status) {
    *e = r.error;
    return (int)r.error.status;
  }
  *gbs = r.gbs;
  return 0;
}

void tern_bandwidth_child_end(tern_bandwidth_child *b) {
  if (!b) return;
  tern_child_end(b->child);
  free(b);
}
