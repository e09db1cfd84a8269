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
  tern_bandwidth *probe; /* the child's, on the better pages */
};

/* Opens a buffer on either kind of pages and keeps the faster one: most often
 * huge, but that is for this machine, now, to say. */
static int choose_pages(tern_bandwidth_child *b, int threads, tern_error *e) {
  enum { ROUNDS = 2 };
  tern_bandwidth *kinds[TERN_PAGES_KINDS] = {NULL};
  double best[TERN_PAGES_KINDS] = {0}, gbs;
  for (int i = 0; i < TERN_PAGES_KINDS; i++)
    if (tern_bandwidth_open(&kinds[i], b->cache, (tern_pages)i, e)) goto out;
  for (int i = 0; i < ROUNDS * TERN_PAGES_KINDS; i++) { /* in turn: bandwidth drifts */
    const int k = i % TERN_PAGES_KINDS;
    if (tern_bandwidth_measure(kinds[k], threads, b->cpus, PROBE_S, &gbs, e)) goto out;
    best[k] = gbs > best[k] ? gbs : best[k];
  }
  const int chosen = best[TERN_PAGES_SMALL] > best[TERN_PAGES_HUGE] ? TERN_PAGES_SMALL : TERN_PAGES_HUGE;
  b->probe = kinds[chosen];
  kinds[chosen] = NULL;
out:
  for (int i = 0; i < TERN_PAGES_KINDS; i++) tern_bandwidth_close(kinds[i]);
  return (int)e->status;
}

static void serve(void *arg, const void *request, void *reply_bytes) {
  tern_bandwidth_child *b = arg;
  reply *r = reply_bytes;
  const int threads = *(const int *)request;
  if (!b->probe && choose_pages(b, threads, &r->error)) return;
  tern_bandwidth_measure(b->probe, threads, b->cpus, PROBE_S, &r->gbs, &r->error);
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
