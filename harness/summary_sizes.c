/* Sizes of the engines and the machine's read bandwidth. */
#include <math.h>
#include <string.h>

#include "harness/summary_parts.h"

static const struct {
  const char *metric;
  size_t offset;
  const char *how;
} sizes[] = {
    {"body_memory", offsetof(tern_sample, body_bytes), "computed"},
    {"head_memory", offsetof(tern_sample, head_bytes), "computed"},
    {"embedding_memory", offsetof(tern_sample, embedding_bytes), "computed"},
    {"kv_memory", offsetof(tern_sample, kv_bytes), "computed"},
    {"peak_rss", offsetof(tern_sample, peak_rss_bytes), "measured"},
};

static bool same_engine(const tern_sample *a, const tern_sample *b) {
  return strcmp(a->engine, b->engine) == 0 && strcmp(a->model, b->model) == 0;
}

/* The greatest of the samples, warm-up included. */
static void put_sizes(const tern_summary *s, const tern_sample *first) {
  for (size_t m = 0; m < sizeof sizes / sizeof *sizes; m++) {
    tern_estimate found = {.median = NAN, .low = NAN, .high = NAN, .coverage = NAN};
    int64_t most = TERN_NO_COUNT;
    for (size_t i = 0; i < s->count; i++) {
      const tern_sample *r = &s->rows[i];
      int64_t v = *(const int64_t *)((const char *)r + sizes[m].offset);
      if (v == TERN_NO_COUNT || !same_engine(r, first)) continue;
      found.n++;
      if (v > most) most = v;
    }
    if (most == TERN_NO_COUNT) continue;
    found.median = (double)most;
    tern_subject about = {.metric = sizes[m].metric,
                          .engine = first->engine,
                          .model = first->model,
                          .unit = "bytes",
                          .threads = -1,
                          .how = sizes[m].how};
    tern_summary_put(s, &about, &found);
  }
}

void tern_summary_sizes(const tern_summary *s) {
  for (size_t i = 0; i < s->cell_count; i++) {
    bool seen = false;
    for (size_t j = 0; j < i && !seen; j++) seen = same_engine(s->cells[j].rows, s->cells[i].rows);
    if (!seen) put_sizes(s, s->cells[i].rows);
  }
}

/* One probe a block, team and placement: its first sample stands for it. */
static bool same_probe(const tern_sample *a, const tern_sample *b) {
  return a->threads == b->threads && a->block == b->block && strcmp(a->model, b->model) == 0 &&
         strcmp(tern_summary_placement(a), tern_summary_placement(b)) == 0;
}

static void put_bandwidth(const tern_summary *s, const tern_sample *of) {
  int n = 0;
  for (size_t i = 0; i < s->count; i++) {
    const tern_sample *r = &s->rows[i];
    if (r->threads != of->threads || r->block < 0 || !(r->read_gbs > 0) ||
        strcmp(tern_summary_placement(r), tern_summary_placement(of)) != 0)
      continue;
    bool seen = false;
    for (size_t j = 0; j < i && !seen; j++) seen = s->rows[j].read_gbs > 0 && same_probe(&s->rows[j], r);
    if (!seen) s->values[n++] = r->read_gbs;
  }
  if (n == 0) return;
  tern_estimate found = tern_estimate_median(s->values, n);
  tern_subject about = {.metric = "read_bandwidth",
                        .engine = "machine",
                        .unit = "GB/s",
                        .threads = of->threads,
                        .how = "measured",
                        .placement = tern_summary_placement(of)};
  tern_summary_put(s, &about, &found);
}

void tern_summary_bandwidth(const tern_summary *s) {
  for (size_t i = 0; i < s->cell_count; i++) {
    const tern_sample *r = s->cells[i].rows;
    bool seen = false;
    for (size_t j = 0; j < i && !seen; j++)
      seen = s->cells[j].rows->threads == r->threads &&
             strcmp(tern_summary_placement(s->cells[j].rows), tern_summary_placement(r)) == 0;
    if (!seen) put_bandwidth(s, r);
  }
}
