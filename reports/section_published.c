/* Published tables beside the run's own figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reports/energy_model.h"
#include "reports/figures.h"
#include "reports/format.h"
#include "reports/published.h"
#include "reports/sections.h"

#define REPORT_2B4T "arXiv:2504.12285v1 Table 1"

static const char *printed(const tern_table *t, const char *model, const char *metric) {
  const char *const pairs[] = {"source", REPORT_2B4T, "model", model, "metric", metric, NULL};
  return tern_table_get(t, tern_table_find(t, 0, pairs), "value");
}

static void put_value(tern_doc *d, double v, const char *text) {
  if (isnan(v))
    tern_doc_cell(d, TERN_QUIET, "–");
  else
    tern_doc_cell(d, TERN_PLAIN, "%s", text);
}

/* One row of this run: memory, latency and the formula for its shape. */
static void put_own_row(tern_doc *d, const tern_results *r, const char *engine, const char *model) {
  tern_error ignored;
  tern_shape shape;
  bool outside = strncmp(engine, "peer:", 5) == 0;
  int memory = tern_results_find(r, 0, "body_memory", engine, model);
  int latency = tern_results_representative(r, "latency", engine, model);
  double bytes = memory < 0 ? NAN : r->summary[memory].median, joules = NAN;
  bool ternary = strcmp(engine, "ternary") == 0;
  if ((ternary || strcmp(engine, "f16") == 0) && tern_shape_find(tern_results_shape(r, model), &shape, &ignored) == 0)
    joules = tern_energy_model(&shape, ternary);
  if (outside)
    tern_doc_cell(d, TERN_PLAIN, "%s, %s, this run", model, engine + 5);
  else
    tern_doc_cell(d, TERN_PLAIN, "%s, %s engine, this run", model, engine);
  put_value(d, bytes, tern_format_number(bytes / 1e9).text);
  if (latency < 0)
    put_value(d, NAN, "");
  else
    tern_doc_cell(
        d, TERN_PLAIN, "%s",
        tern_format_interval(r->summary[latency].median, r->summary[latency].low, r->summary[latency].high).text);
  put_value(d, joules, tern_format_number(joules).text);
  if (latency < 0)
    tern_doc_cell(d, TERN_PLAIN, "buffers' sizes");
  else
    tern_doc_cell(d, TERN_PLAIN, "measured: %s, %d thread%s, n=%d%s", r->summary[latency].workload,
                  r->summary[latency].threads, r->summary[latency].threads == 1 ? "" : "s", r->summary[latency].n,
                  isnan(joules) ? "" : "; energy modelled");
}

/* This run's rows of the models of a shape: our engines, then outside ones. */
static void put_own_rows(tern_doc *d, const tern_results *r, const char *shape) {
  for (int i = 0; (i = tern_results_find(r, i, "body_memory", NULL, NULL)) >= 0; i++)
    if (strcasecmp(tern_results_shape(r, r->summary[i].model), shape) == 0)
      put_own_row(d, r, r->summary[i].engine, r->summary[i].model);
  for (int i = 0; (i = tern_results_find(r, i, "latency", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    if (strncmp(s->engine, "peer:", 5) != 0 || strcasecmp(tern_results_shape(r, s->model), shape) != 0) continue;
    if (tern_results_find(r, 0, "latency", s->engine, s->model) == i) put_own_row(d, r, s->engine, s->model);
  }
}

static bool in_table(const char *shape) {
  size_t count;
  const tern_energy_row *rows = tern_energy_rows(&count);
  for (size_t i = 0; i < count; i++)
    if (strcasecmp(rows[i].shape, shape) == 0) return true;
  return false;
}

static int efficiency_table(tern_doc *d, const tern_results *r, tern_error *e) {
  static const tern_column columns[] = {
      {"Model", false}, {"Layers, GB", true}, {"ms/token", true}, {"Modelled energy, J", true}, {"How", false}};
  tern_table *t;
  size_t count;
  const tern_energy_row *rows = tern_energy_rows(&count);
  if (tern_table_published(&t, "arxiv_2504_12285_bitnet_2b4t.csv", e)) return (int)e->status;
  tern_doc_table(d, "Efficiency rows of arXiv 2504.12285, Table 1, and this run", columns, 5, false);
  for (size_t i = 0; i < count; i++) {
    tern_doc_cell(d, TERN_PLAIN, "%s", rows[i].printed);
    tern_doc_cell(d, TERN_PLAIN, "%s", printed(t, rows[i].printed, "Memory (non-embedding)"));
    tern_doc_cell(d, TERN_PLAIN, "%s", printed(t, rows[i].printed, "Latency (CPU TPOT)"));
    tern_doc_cell(d, TERN_PLAIN, "%s", printed(t, rows[i].printed, "Energy (estimated)"));
    tern_doc_cell(d, TERN_QUIET, "published: i7-13800H, 8 threads; energy modelled");
    put_own_rows(d, r, rows[i].shape);
  }
  tern_table_free(t);
  for (int i = 0; i < r->summary_count; i++) {
    const char *shape = tern_results_shape(r, r->summary[i].model);
    if (*r->summary[i].model && !in_table(shape) && tern_results_find(r, 0, NULL, NULL, r->summary[i].model) == i)
      put_own_rows(d, r, shape);
  }
  return 0;
}

static const tern_column speed_columns[] = {{"CPU", false},          {"Threads", false},     {"Model", false},
                                            {"Baseline, t/s", true}, {"Ternary, t/s", true}, {"Times as fast", true},
                                            {"Engines", false}};

/* The run's own rows for a model, decoding after a short context. */
static void put_own_speeds(tern_doc *d, const tern_results *r, const char *model) {
  for (int i = 0; (i = tern_results_find(r, i, "speedup", "ternary/f16", model)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    double speeds[2] = {NAN, NAN};
    static const char *const engines[] = {"f16", "ternary"};
    if (strncmp(s->workload, "decode", 6) != 0 || strchr(s->workload, '@')) continue;
    for (int k = 0; k < 2; k++)
      for (int j = 0; (j = tern_results_find(r, j, "speed", engines[k], model)) >= 0; j++)
        if (r->summary[j].threads == s->threads && strcmp(r->summary[j].workload, s->workload) == 0)
          speeds[k] = r->summary[j].median;
    tern_doc_cell(d, TERN_PLAIN, "this machine");
    tern_doc_cell(d, TERN_PLAIN, "%d", s->threads);
    tern_doc_cell(d, TERN_PLAIN, "%s", model);
    for (int k = 0; k < 2; k++) put_value(d, speeds[k], tern_format_number(speeds[k]).text);
    tern_doc_cell(d, TERN_PLAIN, "%s%s", tern_results_provisional(r, s->engine) ? "provisional: " : "",
                  tern_format_interval(s->median, s->low, s->high).text);
    tern_doc_cell(d, TERN_PLAIN, "ours: ternary/f16");
  }
}

/* bitnet.cpp's rows of one dummy model: baseline, ternary and ratio stand in
 * this order in the table. */
static void put_dummy_rows(tern_doc *d, const tern_table *t, const char *dummy) {
  const char *const pairs[] = {"model", dummy, "metric", "speedup", NULL};
  for (int row = tern_table_find(t, 0, pairs); row >= 2; row = tern_table_find(t, row + 1, pairs)) {
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "cpu"));
    tern_doc_cell(d, TERN_PLAIN, "%s",
                  strncmp(tern_table_get(t, row, "note"), "2 threads", 9) == 0 ? "2" : "unlimited");
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "params"));
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row - 2, "value"));
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row - 1, "value"));
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "value"));
    tern_doc_cell(d, TERN_QUIET, "bitnet.cpp / llama.cpp fp16");
  }
}

/* The dummy model of the speed tables that has a shape's size: shapes carry the
 * generator script's names, whose 2.7B is the table's 2.5B; 2B4T is nearest to it. */
static const char *dummy_of(const char *shape) {
  static const char *const renamed[][2] = {{"2B4T", "2.5B"}, {"2.7B", "2.5B"}};
  for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
    if (strcmp(shape, renamed[i][0]) == 0) return renamed[i][1];
  return shape;
}

static bool ran_with(const tern_results *r, const char *model, int threads) {
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, model)) >= 0; i++)
    if (r->summary[i].threads == threads) return true;
  return false;
}

static int speed_tables(tern_doc *d, const tern_results *r, tern_error *e) {
  tern_table *t;
  if (tern_table_published(&t, "arxiv_2410_16144_bitnet_cpp_speed_energy.csv", e)) return (int)e->status;
  for (int i = 0; i < r->summary_count; i++) {
    const char *model = r->summary[i].model, *shape = tern_results_shape(r, model);
    char dummy[96], caption[256];
    if (!*model || tern_results_find(r, 0, NULL, NULL, model) < i) continue;
    snprintf(dummy, sizeof dummy, "BitNet b1.58 dummy %.60s", dummy_of(shape));
    const char *const pairs[] = {"model", dummy, "metric", "speedup", NULL};
    if (tern_table_find(t, 0, pairs) < 0) continue;
    snprintf(caption, sizeof caption, "arXiv 2410.16144, Tables 4 and 5, the %.40s model%s, and this run",
             dummy_of(shape), strcmp(dummy_of(shape), shape) == 0 ? "" : " (nearest in size)");
    tern_doc_table(d, caption, speed_columns, 7, false);
    put_dummy_rows(d, t, dummy);
    put_own_speeds(d, r, model);
  }
  tern_table_free(t);
  return 0;
}

/* The project's own chart of January 2026 holds the 2B4T model itself. */
static int chart_2026(tern_doc *d, const tern_results *r, const char *model, tern_error *e) {
  static const tern_column columns[] = {
      {"CPU", false}, {"Threads", true}, {"Workload", false}, {"Before, t/s", true}, {"After, t/s", true}};
  const char *const pairs[] = {"model", "BitNet-b1.58-2B-4T", "engine", "bitnet.cpp I2_S original", NULL};
  tern_table *t;
  if (tern_table_published(&t, "microsoft_bitnet_2026_01_cpu_optimisation.csv", e)) return (int)e->status;
  tern_doc_table(d, "microsoft/BitNet, January 2026, I2_S kernels before and after, at the run's thread counts",
                 columns, 5, false);
  for (int row = tern_table_find(t, 0, pairs); row >= 0; row = tern_table_find(t, row + 1, pairs)) {
    const char *workload = strrchr(tern_table_get(t, row, "metric"), ' ');
    int threads = atoi(tern_table_get(t, row, "note"));
    if (!ran_with(r, model, threads)) continue;
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "cpu"));
    tern_doc_cell(d, TERN_PLAIN, "%d", threads);
    tern_doc_cell(d, TERN_PLAIN, "%s", workload ? workload + 1 : "");
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "value"));
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row + 1, "value")); /* stands right below */
  }
  tern_table_free(t);
  for (int i = 0; (i = tern_results_find(r, i, "speed", "ternary", model)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    tern_doc_cell(d, TERN_PLAIN, "this machine, our ternary engine");
    tern_doc_cell(d, TERN_PLAIN, "%d", s->threads);
    tern_doc_cell(d, TERN_PLAIN, "%s", s->workload);
    tern_doc_cell(d, TERN_QUIET, "–");
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_format_interval(s->median, s->low, s->high).text);
  }
  return 0;
}

static int newer_tables(tern_doc *d, const tern_results *r, tern_error *e) {
  int status = 0;
  for (int i = 0; !status && i < r->summary_count; i++) {
    const char *model = r->summary[i].model;
    if (strcmp(tern_results_shape(r, model), "2B4T") == 0 && tern_results_find(r, 0, NULL, NULL, model) == i)
      status = chart_2026(d, r, model, e);
  }
  return status;
}

/* How many rows of each table belong to a claim. */
static int coverage_table(tern_doc *d, tern_error *e) {
  static const tern_column columns[] = {
      {"Table", false}, {"Rows", true}, {"Of a claim", true}, {"Left to the table", true}};
  tern_doc_table(d, "Published figures carried by this program", columns, 4, false);
  for (const char *const *name = tern_published_names(); *name; name++) {
    tern_table *t;
    int of_claim = 0;
    if (tern_table_published(&t, *name, e)) return (int)e->status;
    int rows = tern_table_rows(t), column = tern_table_column(t, "claim");
    for (int row = 0; row < rows; row++) of_claim += strcmp(tern_table_cell(t, row, column), "table") != 0;
    if (column >= 0) {
      tern_doc_cell(d, TERN_PLAIN, "%s", *name);
      tern_doc_cell(d, TERN_PLAIN, "%d", rows);
      tern_doc_cell(d, TERN_PLAIN, "%d", of_claim);
      tern_doc_cell(d, TERN_PLAIN, "%d", rows - of_claim);
    }
    tern_table_free(t);
  }
  return 0;
}

int tern_section_published(tern_doc *d, const tern_results *r, tern_error *e) {
  tern_doc_heading(d, 2, "published", "Published beside measured");
  if (efficiency_table(d, r, e) || speed_tables(d, r, e) || newer_tables(d, r, e) || coverage_table(d, e))
    return (int)e->status;
  return 0;
}
