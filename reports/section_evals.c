/* Accuracy: the published columns beside what evals here gave. A model that was
 * not evaluated has no weights here: its cells say so, they are not zero. */
#include <math.h>
#include <string.h>

#include "reports/evals.h"
#include "reports/format.h"
#include "reports/sections.h"

#define TABLE_2B4T "arXiv:2504.12285v1 Table 1"

static const char *const models[] = {"BitNet b1.58 2B4T", "LLaMA 3.2 1B", "Gemma-3 1B",
                                     "Qwen2.5 1.5B",      "SmolLM2 1.7B", "MiniCPM 2B"};
enum { MODELS = sizeof models / sizeof *models };

static int row_of_model(const tern_table *evals, const tern_eval_column *c, const char *published) {
  for (int i = 0; evals && i < tern_table_rows(evals); i++) {
    const char *name = tern_table_get(evals, i, "model");
    int row = tern_eval_is_model(name, published) ? tern_evals_find(evals, c, name) : -1;
    if (row >= 0) return row;
  }
  return -1;
}

static bool evaluated(const tern_table *evals, const char *published) {
  for (int i = 0; evals && i < tern_table_rows(evals); i++)
    if (tern_eval_is_model(tern_table_get(evals, i, "model"), published)) return true;
  return false;
}

/* "48.3 ± 1.5", in percent. */
static tern_text percent(const tern_table *evals, int row) {
  tern_text out;
  double value = 100 * tern_table_value(evals, row, "value"), error = 100 * tern_table_value(evals, row, "stderr");
  if (isnan(error))
    snprintf(out.text, sizeof out.text, "%.2f", value);
  else
    snprintf(out.text, sizeof out.text, "%.2f ± %.2f", value, error);
  return out;
}

static void put_cell(tern_doc *d, const tern_table *published, const tern_table *evals, const tern_eval_column *c,
                     const char *model) {
  const char *const pairs[] = {"source", TABLE_2B4T, "model", model, "metric", c->published, NULL};
  const char *value = tern_table_get(published, tern_table_find(published, 0, pairs), "value");
  int row = row_of_model(evals, c, model);
  if (row >= 0)
    tern_doc_cell(d, TERN_GOOD, "%s; here %s", value, percent(evals, row).text);
  else if (!evaluated(evals, model))
    tern_doc_cell(d, TERN_QUIET, "%s; no weights here", value);
  else
    tern_doc_cell(d, TERN_QUIET, "%s; %s", value, c->why ? c->why : "not asked here");
}

/* Shots, metric and form as printed: the note up to "; instruction-tuned models". */
static void put_how(tern_doc *d, const tern_table *published, const char *metric) {
  const char *const pairs[] = {"source", TABLE_2B4T, "model", models[0], "metric", metric, NULL};
  const char *note = tern_table_get(published, tern_table_find(published, 0, pairs), "note");
  const char *end = strstr(note, "; instruction-tuned");
  tern_doc_cell(d, TERN_PLAIN, "%.*s", end ? (int)(end - note) : (int)strlen(note), note);
}

static void published_table(tern_doc *d, const tern_table *published, const tern_table *evals) {
  tern_column head[MODELS + 2] = {{"Task", false}, {"As published", false}};
  size_t count;
  const tern_eval_column *columns = tern_eval_columns(&count);
  for (int m = 0; m < MODELS; m++) head[m + 2] = (tern_column){models[m], true};
  tern_doc_table(d, "Accuracy rows of arXiv 2504.12285, Table 1 (percent; MT-bench of 10): published; measured here",
                 head, MODELS + 2, true);
  for (size_t i = 0; i < count; i++) {
    tern_doc_cell(d, TERN_PLAIN, "%s", columns[i].published);
    put_how(d, published, columns[i].published);
    for (int m = 0; m < MODELS; m++) put_cell(d, published, evals, &columns[i], models[m]);
  }
}

static void put_eval(tern_doc *d, const tern_table *t, int row) {
  const char *items = tern_table_get(t, row, "items"), *of = tern_table_get(t, row, "of");
  const char *cut = tern_table_get(t, row, "truncated"), *shots = tern_table_get(t, row, "shots");
  bool all = strcmp(items, of) == 0, chat = strcmp(tern_table_get(t, row, "chat"), "yes") == 0;
  bool none_cut = strcmp(cut, "0") == 0 || !*cut;
  tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "model"));
  tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "task"));
  tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, row, "figure"));
  tern_doc_cell(d, TERN_PLAIN, "%s", percent(t, row).text);
  tern_doc_cell(d, all ? TERN_PLAIN : TERN_CAUTION, "%s%s%s", items, all ? "" : " of ", all ? "" : of);
  tern_doc_cell(d, TERN_PLAIN, "%s-shot%s", *shots ? shots : "0", chat ? ", chat" : "");
  tern_doc_cell(d, none_cut ? TERN_PLAIN : TERN_CAUTION, "measured: %s%s%s%s", tern_table_get(t, row, "file"),
                none_cut ? "" : "; ", none_cut ? "" : cut, none_cut ? "" : " items cut on the left");
}

/* All models that were evaluated, in the columns' order. */
static void measured_table(tern_doc *d, const tern_table *evals) {
  static const tern_column head[] = {{"Model", false}, {"Task", false},  {"Figure", false}, {"Percent", true},
                                     {"Items", true},  {"Asked", false}, {"How", false}};
  size_t count;
  const tern_eval_column *columns = tern_eval_columns(&count);
  tern_doc_table(d, "Accuracy of the models that were evaluated here", head, 7, false);
  for (int i = 0; i < tern_table_rows(evals); i++) {
    const char *model = tern_table_get(evals, i, "model");
    const char *const same[] = {"model", model, NULL};
    if (tern_table_find(evals, 0, same) != i) continue;
    for (size_t k = 0; k < count; k++) {
      int row = tern_evals_find(evals, &columns[k], model);
      if (row >= 0) put_eval(d, evals, row);
    }
  }
}

int tern_section_evals(tern_doc *d, const tern_results *r, tern_error *e) {
  tern_table *published, *evals;
  if (tern_evals_read(&evals, r->dir, e)) return (int)e->status;
  if (tern_table_published(&published, "arxiv_2504_12285_bitnet_2b4t.csv", e)) {
    tern_table_free(evals);
    return (int)e->status;
  }
  tern_doc_heading(d, 2, "accuracy", "Accuracy");
  if (evals)
    tern_doc_text(d, "Measured figures come from the folder given with --evals; a standard error is over items. A "
                     "figure stands beside a published one when the model's name is the published model's and its "
                     "weights are not synthetic; shots and form are as the eval was run, not as published, unless both "
                     "columns say the same.");
  else
    tern_doc_text(d, "No evals were given: ternmark eval paper-2b4t MODEL --out DIR, then reproduce --evals DIR.");
  published_table(d, published, evals);
  if (evals) measured_table(d, evals);
  tern_table_free(published);
  tern_table_free(evals);
  return 0;
}
