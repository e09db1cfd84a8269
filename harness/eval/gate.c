#include "harness/eval/gate.h"

#include <stdlib.h>
#include <string.h>

static const double LEVEL = 0.05;

/* Differences in what ran that must not change a bit; "x." stands for all below.
 * Items, rows and prompts are compared themselves. */
static const char *const harmless[] = {"revision", "body",  "name",          "model",         "left_out",
                                       "tasks.",   "data.", "options.tasks", "options.limit", "options.shots"};

static bool is_harmless(const char *key) {
  for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
    size_t n = strlen(harmless[i]);
    if (harmless[i][n - 1] == '.' ? strncmp(key, harmless[i], n) == 0 : strcmp(key, harmless[i]) == 0) return true;
  }
  return false;
}

static bool bits_are_expected(const json_t *differ) {
  const char *key;
  json_t *pair;
  json_object_foreach((json_t *)differ, key, pair) {
    if (!is_harmless(key)) return false;
  }
  return true;
}

static bool any_item_changed(const tern_changes *c, const char *task) {
  for (size_t i = 0; i < c->item_count; i++) {
    if (strcmp(c->items[i].task, task) == 0) return true;
  }
  return false;
}

static tern_gate_verdict judge(const tern_gate *g, const tern_change *row) {
  if (g->exact) return any_item_changed(&g->changes, row->task) ? TERN_GATE_REGRESSION : TERN_GATE_PASS;
  if (row->changed == 0) return TERN_GATE_PASS;
  if (row->adjusted < LEVEL && row->difference.difference < 0) return TERN_GATE_REGRESSION;
  return row->difference.low >= -g->margin ? TERN_GATE_PASS : TERN_GATE_UNDECIDED;
}

int tern_gate_find(tern_gate *out, const json_t *before, const json_t *now, double margin, tern_error *e) {
  *out = (tern_gate){.margin = margin};
  if (tern_changes_find(&out->changes, before, now, e) != 0) return (int)e->status;
  out->rows = calloc(out->changes.count + 1, sizeof *out->rows);
  if (out->rows == NULL) {
    tern_gate_close(out);
    return tern_fail(e, TERN_FAILED, "gate: out of memory");
  }
  out->exact = bits_are_expected(out->changes.runs_differ);
  for (size_t i = 0; i < out->changes.count; i++) {
    out->rows[i] = judge(out, &out->changes.rows[i]);
    if (out->rows[i] > out->verdict) out->verdict = out->rows[i];
  }
  return 0;
}

void tern_gate_close(tern_gate *g) {
  tern_changes_close(&g->changes);
  free(g->rows);
  *g = (tern_gate){0};
}

const char *tern_gate_word(tern_gate_verdict v) {
  return v == TERN_GATE_PASS ? "pass" : v == TERN_GATE_UNDECIDED ? "undecided" : "REGRESSION";
}

char *tern_gate_summary(const tern_gate *g) {
  char *text = NULL;
  const tern_changes *c = &g->changes;
  size_t decided = 0;
  for (size_t i = 0; i < c->item_count; i++) decided += json_object_size(c->items[i].figures) > 0;
  int n = g->exact
              ? asprintf(&text, "%s: %zu items compared to the bit, %zu changed", tern_gate_word(g->verdict),
                         c->compared, c->item_count)
              : asprintf(&text,
                         "%s: %zu items compared by their figures (other bits are expected), %zu changed a figure, "
                         "%zu only moved; margin %g",
                         tern_gate_word(g->verdict), c->compared, decided, c->item_count - decided, g->margin);
  return n >= 0 ? text : NULL;
}
