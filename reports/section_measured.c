/* What the run measured: speeds, speed-ups, memory, energy. */
#include <math.h>
#include <string.h>

#include "reports/energy_model.h"
#include "reports/format.h"
#include "reports/plots.h"
#include "reports/sections.h"

/* Row of another metric for the same engine, model, workload and threads. */
static const tern_summary_row *beside(const tern_results *r, const char *metric, const tern_summary_row *s) {
  for (int i = 0; (i = tern_results_find(r, i, metric, s->engine, s->model)) >= 0; i++)
    if (strcmp(r->summary[i].workload, s->workload) == 0 && r->summary[i].threads == s->threads) return &r->summary[i];
  return NULL;
}

static void put_interval(tern_doc *d, const tern_summary_row *s, double scale) {
  if (!s || isnan(s->median))
    tern_doc_cell(d, TERN_QUIET, "–");
  else
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_format_interval(s->median * scale, s->low * scale, s->high * scale).text);
}

static void put_head(tern_doc *d, const tern_summary_row *s) {
  tern_doc_cell(d, TERN_PLAIN, "%s", s->engine);
  tern_doc_cell(d, TERN_PLAIN, "%s", s->model);
  tern_doc_cell(d, TERN_PLAIN, "%s", s->workload);
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
    put_interval(d, beside(r, "latency", s), 1);
    put_interval(d, beside(r, "bandwidth_share", s), 100);
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

void tern_section_speed(tern_doc *d, const tern_results *r, const tern_claims *claims) {
  tern_doc_heading(d, 2, "speed", "Speed");
  tern_plot_speed(d, r, "decode");
  tern_plot_speed(d, r, "prefill");
  speed_table(d, r);
  tern_doc_text(d,
                "The share of read bandwidth is bytes of weights a token (from sizes) times speed, over the bandwidth "
                "measured in the same block with the same threads.");
  tern_doc_heading(d, 2, "speedup", "Speed-up");
  tern_plot_speedup(d, r, claims);
  speedup_table(d, r);
  tern_doc_heading(d, 2, "time", "Samples over time");
  tern_plot_time(d, r);
  int row = tern_results_find(r, 0, "read_bandwidth", NULL, NULL);
  for (; row >= 0; row = tern_results_find(r, row + 1, "read_bandwidth", NULL, NULL)) {
    const tern_summary_row *s = &r->summary[row];
    tern_doc_item(d, "Read bandwidth with %d thread%s: %s GB/s, n=%d", s->threads, s->threads == 1 ? "" : "s",
                  tern_format_interval(s->median, s->low, s->high).text, s->n);
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

static void measured_energy(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engine", false}, {"Model", false}, {"Workload", false}, {"Threads", true},
                                        {"Figure", true},  {"Unit", false},  {"n", true}};
  const char *why = tern_results_no_energy(r);
  if (*why) {
    tern_doc_text(d, "Nothing was measured: %s. The figures below are modelled.", why);
    return;
  }
  tern_doc_table(d, "Measured energy: median [interval]", columns, 7, false);
  for (int i = 0; i < r->summary_count; i++) {
    const tern_summary_row *s = &r->summary[i];
    if (strncmp(s->metric, "energy", 6) != 0 || isnan(s->median)) continue;
    put_head(d, s);
    put_interval(d, s, 1);
    tern_doc_cell(d, TERN_PLAIN, "%s", s->unit);
    tern_doc_cell(d, TERN_PLAIN, "%d", s->n);
  }
}

void tern_section_energy(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {
      {"Model", false}, {"Printed, J", true}, {"Recomputed, J", true}, {"A token, mJ", true}, {"How", false}};
  const char *const of_model[] = {"source", "arXiv:2504.12285v1 Table 1", "metric", "Energy (estimated)", "model", NULL,
                                  NULL};
  tern_error ignored;
  tern_table *t;
  size_t count;
  const tern_energy_row *rows = tern_energy_rows(&count);
  tern_doc_heading(d, 2, "energy", "Energy");
  measured_energy(d, r);
  if (tern_table_published(&t, "arxiv_2504_12285_bitnet_2b4t.csv", &ignored)) return;
  tern_doc_table(d, "The modelled energy column of arXiv 2504.12285, recomputed from the shapes; nobody measured it",
                 columns, 5, false);
  for (size_t i = 0; i < count; i++) {
    const char *pairs[8];
    tern_shape shape;
    memcpy(pairs, of_model, sizeof of_model);
    pairs[5] = rows[i].printed;
    pairs[6] = NULL;
    int row = tern_table_find(t, 0, pairs);
    if (tern_shape_find(rows[i].shape, &shape, &ignored)) continue;
    double joules = tern_energy_model(&shape, rows[i].ternary);
    tern_doc_cell(d, TERN_PLAIN, "%s", rows[i].printed);
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "value"));
    tern_doc_cell(d, TERN_PLAIN, "%.4f", joules);
    tern_doc_cell(d, TERN_PLAIN, "%.3f", joules / TERN_ENERGY_TOKENS * 1e3);
    tern_doc_cell(d, TERN_QUIET, "modelled");
  }
  tern_doc_text(
      d, "The formula: 512 x (weights of the layers x 0.5 pJ (ternary: 0.007 pJ) + layers x query width x 2 x 512 x "
         "0.5 pJ). It counts arithmetic at 7 nm for a pass over 512 tokens: no memory traffic, no idle power, no "
         "embedding and no output head. It is no joule a token and no meter ever read it.");
  tern_table_free(t);
}
