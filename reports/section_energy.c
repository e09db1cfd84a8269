/* Energy: what meters read, with its scope and how it came about, and apart
 * from it the published column, which is a model. */
#include <math.h>
#include <string.h>

#include "reports/energy_model.h"
#include "reports/format.h"
#include "reports/sections.h"

static void put_figure(tern_doc *d, const tern_summary_row *s) {
  if (!s || isnan(s->median))
    tern_doc_cell(d, TERN_QUIET, "unavailable");
  else
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_format_interval(s->median, s->low, s->high).text);
}

static void put_head(tern_doc *d, const tern_summary_row *s) {
  tern_doc_cell(d, TERN_PLAIN, "%s", s->engine);
  tern_doc_cell(d, TERN_PLAIN, "%s", s->model);
  tern_doc_cell(d, TERN_PLAIN, "%s%s%s", s->workload, *s->placement ? ", " : "", s->placement);
  tern_doc_cell(d, TERN_PLAIN, "%d", s->threads);
}

static bool any_energy(const tern_results *r) {
  for (int i = 0; (i = tern_results_find(r, i, "energy", NULL, NULL)) >= 0; i++)
    if (!isnan(r->summary[i].median)) return true;
  return false;
}

/* Gross and net of idle side by side. */
static void joules_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engine", false}, {"Model", false},        {"Workload", false},
                                        {"Threads", true}, {"J/token", true},       {"Net, J/token", true},
                                        {"n", true},       {"Scope and how", false}};
  tern_doc_table(d, "Energy of every engine: median [interval]", columns, 8, false);
  for (int i = 0; (i = tern_results_find(r, i, "energy", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    if (isnan(s->median)) continue;
    put_head(d, s);
    put_figure(d, s);
    put_figure(d, tern_results_beside(r, "energy_net", NULL, s));
    tern_doc_cell(d, TERN_PLAIN, "%d", s->n);
    tern_doc_cell(d, TERN_QUIET, "%s%s%s", s->how, *s->note ? ": " : "", s->note);
  }
}

/* What follows from joules: with time, and with a grid factor where one is given. */
static void delay_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engine", false}, {"Model", false},        {"Workload", false},
                                        {"Threads", true}, {"J x s a token", true}, {"CO2, mg/token", true}};
  int given = tern_results_find(r, 0, "co2", NULL, NULL) >= 0;
  tern_doc_table(d, "Energy-delay product and, where a grid factor is given, CO2: median [interval]", columns,
                 5 + given, false);
  for (int i = 0; (i = tern_results_find(r, i, "energy_delay", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    if (isnan(s->median)) continue;
    put_head(d, s);
    put_figure(d, s);
    if (given) put_figure(d, tern_results_beside(r, "co2", NULL, s));
  }
}

/* Whether an earlier row of the metric lacks its figure for the same reason. */
static bool told(const tern_results *r, int row) {
  const tern_summary_row *s = &r->summary[row];
  for (int i = 0; (i = tern_results_find(r, i, s->metric, NULL, NULL)) >= 0 && i < row; i++)
    if (isnan(r->summary[i].median) && strcmp(r->summary[i].note, s->note) == 0) return true;
  return false;
}

/* Every reason once, with all engines that it concerns. */
static void missing_list(tern_doc *d, const tern_results *r, const char *metric, const char *what) {
  for (int i = 0; (i = tern_results_find(r, i, metric, NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    char names[600] = "";
    size_t n = 0;
    if (!isnan(s->median) || told(r, i)) continue;
    for (int k = i; (k = tern_results_find(r, k, metric, NULL, NULL)) >= 0; k++) {
      const tern_summary_row *o = &r->summary[k];
      if (!isnan(o->median) || strcmp(o->note, s->note) != 0 || n >= sizeof names) continue;
      n += (size_t)snprintf(names + n, sizeof names - n, "%s%s %s", n ? ", " : "", o->engine, o->workload);
    }
    tern_doc_item(d, "%s unavailable: %s: %s", what, names, *s->note ? s->note : "no reason was recorded");
  }
}

static void savings_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engines", false}, {"Model", false},        {"Workload", false},
                                        {"Threads", true},  {"% less energy", true}, {"n", true}};
  if (tern_results_find(r, 0, "energy_saving", NULL, NULL) < 0) return;
  tern_doc_table(d, "Energy that the first engine does not take: median [interval]", columns, 6, false);
  for (int i = 0; (i = tern_results_find(r, i, "energy_saving", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    if (!tern_results_tells(r, s)) continue;
    put_head(d, s);
    put_figure(d, s);
    tern_doc_cell(d, TERN_PLAIN, "%d", s->n);
  }
}

static void measured_energy(tern_doc *d, const tern_results *r) {
  const char *why = tern_results_no_energy(r);
  if (*why) tern_doc_text(d, "Nothing was measured: %s. The figures below are modelled.", why);
  if (!any_energy(r)) return;
  joules_table(d, r);
  missing_list(d, r, "energy", "Energy");
  missing_list(d, r, "energy_net", "Net energy");
  delay_table(d, r);
  savings_table(d, r);
  tern_doc_text(d, "A joule belongs to its scope: the package is not the wall. Net is above the idle power measured "
                   "before and after. J x s is the energy-delay product. Of an outside process only pairs of runs, "
                   "whose loading cancels, give joules a token.");
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
