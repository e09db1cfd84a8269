/* What the run measured: speeds, speed-ups, memory. */
#include <math.h>
#include <string.h>

#include "reports/format.h"
#include "reports/plots.h"
#include "reports/sections.h"

static void put_interval(tern_doc *d, const tern_summary_row *s, double scale) {
  if (!s || isnan(s->median))
    tern_doc_cell(d, TERN_QUIET, "–");
  else
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_format_interval(s->median * scale, s->low * scale, s->high * scale).text);
}

static void put_head(tern_doc *d, const tern_summary_row *s) {
  tern_doc_cell(d, TERN_PLAIN, "%s", s->engine);
  tern_doc_cell(d, TERN_PLAIN, "%s", s->model);
  tern_doc_cell(d, TERN_PLAIN, "%s%s%s", s->workload, *s->placement ? ", " : "", s->placement);
  tern_doc_cell(d, TERN_PLAIN, "%d", s->threads);
}

static void speed_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {
      {"Engine", false},  {"Model", false},   {"Workload", false},           {"Threads", true},
      {"tokens/s", true}, {"ms/token", true}, {"% of read bandwidth", true}, {"n", true}};
  tern_doc_table(d, "Speed of every engine: median [interval]", columns, 8, false);
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    put_head(d, s);
    put_interval(d, s, 1);
    put_interval(d, tern_results_beside(r, "latency", NULL, s), 1);
    put_interval(d, tern_results_beside(r, "bandwidth_share", NULL, s), 100);
    tern_doc_cell(d, TERN_PLAIN, "%d", s->n);
  }
}

static void speedup_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engines", false}, {"Model", false},        {"Workload", false},
                                        {"Threads", true},  {"Times as fast", true}, {"Confidence", true},
                                        {"n", true}};
  const char *provisional = NULL;
  tern_doc_table(d, "Ratio of times within a block: median [interval]", columns, 7, false);
  for (int i = 0; (i = tern_results_find(r, i, "speedup", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    const char *why = tern_results_provisional(r, s->engine);
    if (!tern_results_tells(r, s)) continue;
    put_head(d, s);
    tern_doc_cell(d, TERN_PLAIN, "%s%s", why ? "provisional: " : "",
                  tern_format_interval(s->median, s->low, s->high).text);
    if (isnan(s->coverage))
      tern_doc_cell(d, TERN_QUIET, "–");
    else
      tern_doc_cell(d, TERN_PLAIN, "%.1f %%", s->coverage * 100);
    tern_doc_cell(d, TERN_PLAIN, "%d", s->n);
  }
  for (int i = 0; (i = tern_results_find(r, i, "speedup", NULL, NULL)) >= 0; i++) {
    const char *why = tern_results_provisional(r, r->summary[i].engine);
    if (why && why != provisional) tern_doc_item(d, "Provisional: %s, %s.", r->summary[i].engine, why);
    provisional = why ? why : provisional;
  }
}

/* Prefill and decode meet in no cell: one table of both would be half empty. */
static void first_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engine", false}, {"Model", false}, {"Workload", false},
                                        {"Threads", true}, {"ms", true},     {"n", true}};
  if (tern_results_find(r, 0, "ttft", NULL, NULL) < 0) return;
  tern_doc_table(d, "Time to the first token, the whole prompt before it: median [interval]", columns, 6, false);
  for (int i = 0; (i = tern_results_find(r, i, "ttft", NULL, NULL)) >= 0; i++) {
    put_head(d, &r->summary[i]);
    put_interval(d, &r->summary[i], 1);
    tern_doc_cell(d, TERN_PLAIN, "%d", r->summary[i].n);
  }
}

static void token_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engine", false}, {"Model", false},  {"Workload", false}, {"Threads", true},
                                        {"p50, ms", true}, {"p90, ms", true}, {"p99, ms", true},   {"n", true}};
  if (tern_results_find(r, 0, "token_p50", NULL, NULL) < 0) return;
  tern_doc_table(d, "Time of single tokens: median over the repetitions of each percentile [interval]", columns, 8,
                 false);
  for (int i = 0; (i = tern_results_find(r, i, "token_p50", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    put_head(d, s);
    put_interval(d, s, 1);
    put_interval(d, tern_results_beside(r, "token_p90", NULL, s), 1);
    put_interval(d, tern_results_beside(r, "token_p99", NULL, s), 1);
    tern_doc_cell(d, TERN_PLAIN, "%d", s->n);
  }
}

void tern_section_speed(tern_doc *d, const tern_results *r, const tern_claims *claims) {
  tern_doc_heading(d, 2, "speed", "Speed");
  tern_plot_speed(d, r, "decode");
  tern_plot_speed(d, r, "prefill");
  speed_table(d, r);
  tern_doc_text(d,
                "The share of read bandwidth is bytes of weights a token (from sizes) times speed, over the bandwidth "
                "measured in the same block with the same threads.");
  first_table(d, r);
  token_table(d, r);
  tern_doc_heading(d, 2, "speedup", "Speed-up");
  tern_plot_speedup(d, r, claims);
  speedup_table(d, r);
  tern_doc_heading(d, 2, "time", "Samples over time");
  tern_plot_time(d, r);
  int row = tern_results_find(r, 0, "read_bandwidth", NULL, NULL);
  for (; row >= 0; row = tern_results_find(r, row + 1, "read_bandwidth", NULL, NULL)) {
    const tern_summary_row *s = &r->summary[row];
    tern_doc_item(d, "Read bandwidth with %d thread%s%s%s: %s GB/s, n=%d", s->threads, s->threads == 1 ? "" : "s",
                  *s->placement ? ", " : "", s->placement, tern_format_interval(s->median, s->low, s->high).text, s->n);
  }
}

void tern_section_memory(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engine", false},   {"Model", false},   {"Layers", true},       {"Head", true},
                                        {"Embedding", true}, {"KV cache", true}, {"Peak resident", true}};
  static const char *const metrics[] = {"body_memory", "head_memory", "embedding_memory", "kv_memory", "peak_rss"};
  tern_doc_heading(d, 2, "memory", "Memory");
  tern_plot_memory(d, r);
  tern_doc_table(d, "Bytes of each engine; 1 GB = 1e9 bytes", columns, 7, false);
  for (int i = 0; (i = tern_results_find(r, i, "body_memory", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    tern_doc_cell(d, TERN_PLAIN, "%s", s->engine);
    tern_doc_cell(d, TERN_PLAIN, "%s", s->model);
    for (size_t k = 0; k < sizeof metrics / sizeof *metrics; k++) {
      int row = tern_results_find(r, 0, metrics[k], s->engine, s->model);
      double bytes = row < 0 ? NAN : r->summary[row].median;
      bool shared = strcmp(metrics[k], "embedding_memory") == 0 && bytes == 0;
      tern_doc_cell(d, isnan(bytes) || shared ? TERN_QUIET : TERN_PLAIN, "%s",
                    isnan(bytes) ? "–"
                    : shared     ? "in the head"
                                 : tern_format_bytes(bytes).text);
    }
  }
  tern_doc_text(d, "Layers, head, embedding and KV cache are the sizes of the engine's buffers; peak resident is the "
                   "high-water mark of the engine's own process, its code and buffers for files included.");
}
