/* The machine's limits, in a child process. Cells are gone through in rounds,
 * because bandwidth drifts: the best of a cell comes from different moments. */
#include "harness/limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/progress.h"
#include "engine/base/team.h"
#include "harness/child.h"
#include "harness/kernel_peak.h"
#include "harness/latency.h"

enum { ROUNDS = 2, MOST_READERS = 16, PEAK_REPEATS = 4 };
static const double CELL_S = 0.04; /* a reader's share of a round */

static const char *const peak_names[TERN_PEAKS] = {"int8 dot product", "f32 fused multiply-add", "bf16 dot product"};

const char *tern_limit_peak_name(tern_limit_peak_kind kind) {
  return peak_names[kind];
}

/* 1, 2, 4, ... and all cores. */
static int team_sizes(int cores, int *sizes) {
  int n = 0;
  for (int size = 1; size < cores && n < TERN_MOST_TEAMS - 1; size *= 2) sizes[n++] = size;
  sizes[n++] = cores;
  return n;
}

/* The cell's row, a new one the first time; NULL when there is no room. */
static tern_limit_rate *find_rate(tern_limits *l, const char *reader, tern_pages pages, int threads) {
  for (int i = 0; i < l->rate_count; i++) {
    tern_limit_rate *r = &l->rates[i];
    if (r->pages == pages && r->threads == threads && strcmp(r->reader, reader) == 0) return r;
  }
  if (l->rate_count == TERN_MOST_RATES) return NULL;
  tern_limit_rate *r = &l->rates[l->rate_count++];
  snprintf(r->reader, sizeof r->reader, "%s", reader);
  r->pages = pages;
  r->threads = threads;
  return r;
}

static int read_round(tern_limits *l, tern_bandwidth *b, tern_pages pages, const int *cpus, tern_error *e) {
  tern_bandwidth_rate rates[MOST_READERS];
  int sizes[TERN_MOST_TEAMS], count = team_sizes(l->cores, sizes), readers = tern_bandwidth_readers(b);
  for (int i = 0; i < count; i++) {
    if (tern_bandwidth_each(b, sizes[i], cpus, CELL_S * readers, rates, e)) return (int)e->status;
    for (int r = 0; r < readers; r++) {
      tern_limit_rate *cell = find_rate(l, tern_bandwidth_reader(b, r), pages, sizes[i]);
      if (cell && rates[r].best > cell->gbs) cell->gbs = rates[r].best;
    }
  }
  return 0;
}

static int measure_memory(tern_limits *l, const tern_machine *m, tern_error *e) {
  const tern_topology *t = &m->topology;
  tern_bandwidth *kinds[TERN_PAGES_KINDS] = {NULL};
  for (int k = 0; k < TERN_PAGES_KINDS; k++)
    if (tern_bandwidth_open(&kinds[k], t->l3 ? t->l3 : t->l2, (tern_pages)k, e)) goto out;
  for (int round = 0; round < ROUNDS; round++)
    for (int k = 0; k < TERN_PAGES_KINDS; k++)
      if (read_round(l, kinds[k], (tern_pages)k, t->order, e)) goto out;
  l->buffer_bytes = tern_bandwidth_bytes(kinds[TERN_PAGES_HUGE]);
  l->huge_share = tern_bandwidth_huge_share(kinds[TERN_PAGES_HUGE]);
  for (int k = 0; k < TERN_PAGES_KINDS; k++)
    l->latency_ns[k] = tern_latency_ns(tern_bandwidth_data(kinds[k]), tern_bandwidth_bytes(kinds[k]));
out:
  for (int k = 0; k < TERN_PAGES_KINDS; k++) tern_bandwidth_close(kinds[k]);
  return (int)e->status;
}

/* Best of the levels that this CPU runs: a wider one may be the slower. */
static double peak_here(tern_limit_peak_kind kind, const char **instruction) {
  const char *name;
  double best = NAN;
  if (kind == TERN_PEAK_BF16) return tern_bf16_peak(instruction);
  *instruction = "";
  for (int isa = 0; isa < TERN_ISA_COUNT; isa++) {
    if (!tern_isa_usable((tern_isa)isa)) continue;
    double rate = tern_instruction_peak((tern_isa)isa, kind == TERN_PEAK_F32, &name);
    if (isnan(rate) || rate <= best) continue;
    best = rate;
    *instruction = name;
  }
  return best;
}

typedef struct peak_job {
  tern_limit_peak_kind kind;
  double *rates; /* [team] */
} peak_job;

static void peak_part(void *arg, int member, int size) {
  const peak_job *job = arg;
  const char *instruction;
  (void)size;
  double rate = peak_here(job->kind, &instruction);
  if (!(rate <= job->rates[member])) job->rates[member] = rate;
}

static int measure_peaks(tern_limits *l, const tern_machine *m, tern_error *e) {
  double rates[TERN_MOST_CPUS];
  tern_team *team;
  if (tern_team_open(&team, l->cores, m->topology.order, e)) return (int)e->status;
  for (int k = 0; k < TERN_PEAKS; k++) {
    tern_limit_peak *p = &l->peaks[k];
    const char *instruction = "";
    peak_job job = {(tern_limit_peak_kind)k, rates};
    p->one = NAN;
    for (int i = 0; i < PEAK_REPEATS; i++) {
      double rate = peak_here(job.kind, &instruction);
      if (!(rate <= p->one)) p->one = rate;
    }
    snprintf(p->instruction, sizeof p->instruction, "%s", instruction);
    for (int i = 0; i < l->cores; i++) rates[i] = 0;
    for (int i = 0; i < PEAK_REPEATS; i++) tern_team_run(team, peak_part, &job);
    p->all = 0;
    for (int i = 0; i < l->cores; i++) p->all += rates[i];
  }
  tern_team_close(team);
  return 0;
}

typedef struct reply {
  tern_error error;
  tern_limits limits;
} reply;

static void serve(void *arg, const void *request, void *reply_bytes) {
  const tern_machine *m = arg;
  reply *r = reply_bytes;
  double start = tern_now();
  (void)request;
  memset(&r->limits, 0, sizeof r->limits);
  r->limits.cores = tern_machine_cores(m);
  if (measure_memory(&r->limits, m, &r->error) == 0) measure_peaks(&r->limits, m, &r->error);
  r->limits.seconds = tern_now() - start;
}

int tern_limits_measure(tern_limits *l, const tern_machine *m, tern_error *e) {
  tern_child *child;
  tern_machine copy = *m;
  char request = 0;
  static const char name[] = "probe of the machine's limits";
  reply r;
  if (tern_child_start(&child, name, serve, &copy, sizeof request, sizeof r, e)) return (int)e->status;
  if (tern_child_call(child, &request, &r, e) == 0) {
    *l = r.limits;
    if (r.error.status) *e = r.error;
  }
  tern_child_end(child);
  return (int)e->status;
}

const tern_limit_rate *tern_limits_best(const tern_limits *l, int threads) {
  const tern_limit_rate *best = NULL;
  for (int i = 0; i < l->rate_count; i++) {
    const tern_limit_rate *r = &l->rates[i];
    if (threads && r->threads != threads) continue;
    if (!best || r->gbs > best->gbs) best = r;
  }
  return best;
}

static json_t *real(double v) {
  return isfinite(v) ? json_real(v) : json_null();
}

static json_t *best_json(const tern_limits *l, int threads) {
  const tern_limit_rate *r = tern_limits_best(l, threads);
  if (!r) return json_null();
  return json_pack("{s:f, s:s, s:s, s:i}", "gbs", r->gbs, "reader", r->reader, "pages", tern_pages_name(r->pages),
                   "threads", r->threads);
}

json_t *tern_limits_json(const tern_limits *l) {
  json_t *o = json_object(), *reads = json_array(), *latency = json_object(), *peaks = json_array();
  for (int i = 0; i < l->rate_count; i++) {
    const tern_limit_rate *r = &l->rates[i];
    json_array_append_new(reads, json_pack("{s:s, s:s, s:i, s:f}", "reader", r->reader, "pages",
                                           tern_pages_name(r->pages), "threads", r->threads, "gbs", r->gbs));
  }
  for (int k = 0; k < TERN_PAGES_KINDS; k++)
    json_object_set_new(latency, tern_pages_name((tern_pages)k), real(l->latency_ns[k]));
  for (int k = 0; k < TERN_PEAKS; k++)
    json_array_append_new(peaks, json_pack("{s:s, s:s, s:o, s:o}", "what", peak_names[k], "instruction",
                                           l->peaks[k].instruction, "gops_one_core", real(l->peaks[k].one),
                                           "gops_all_cores", real(l->peaks[k].all)));
  json_object_set_new(o, "cores", json_integer(l->cores));
  json_object_set_new(o, "read_best", best_json(l, 0));
  json_object_set_new(o, "read_one_thread", best_json(l, 1));
  json_object_set_new(o, "read_all_cores", best_json(l, l->cores));
  json_object_set_new(o, "reads", reads);
  json_object_set_new(o, "buffer_bytes", json_integer((json_int_t)l->buffer_bytes));
  json_object_set_new(o, "huge_page_share", real(l->huge_share));
  json_object_set_new(o, "latency_ns", latency);
  json_object_set_new(o, "peaks", peaks);
  json_object_set_new(o, "seconds", real(l->seconds));
  return o;
}
