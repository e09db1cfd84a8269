/* Whether a run is as good as a baseline over the same items.
 *
 * Where both ran what must give equal bits (same weights, engine, KV type,
 * token ids; other kernels, layouts of the same values, machines), any item
 * that changed is a regression. Else figures decide: a row is a regression when
 * it is worse and its p-value, Holm-adjusted over all rows, is below 0.05;
 * undecided when its 95 % interval reaches further down than the margin; else,
 * and when no item's figure changed, it passes. */
#ifndef TERN_EVAL_GATE_H
#define TERN_EVAL_GATE_H

#include <stdio.h>

#include "harness/eval/changes.h"

/* Exit codes. */
typedef enum tern_gate_verdict {
  TERN_GATE_PASS = 0,
  TERN_GATE_UNDECIDED = 3,
  TERN_GATE_REGRESSION = 4
} tern_gate_verdict;

typedef struct tern_gate {
  tern_changes changes;
  tern_gate_verdict *rows; /* of changes.rows */
  tern_gate_verdict verdict;
  bool exact;    /* equal bits were expected */
  double margin; /* 0.01: a point of accuracy, or 0.01 nats a word or byte */
} tern_gate;

/* before, now: runs of items.h, which outlive the gate. */
int tern_gate_find(tern_gate *out, const json_t *before, const json_t *now, double margin, tern_error *e);
void tern_gate_close(tern_gate *g);
const char *tern_gate_word(tern_gate_verdict v); /* "pass", "undecided", "REGRESSION" */
/* "12 items compared: 1 changed ..." (free()). */
char *tern_gate_summary(const tern_gate *g);

void tern_gate_text(const tern_gate *g, FILE *to);
void tern_gate_markdown(const tern_gate *g, FILE *to);
void tern_gate_junit(const tern_gate *g, FILE *to);

/* A finished run's folder against a baseline file or another run's folder.
 * Writes FOLDER/gate.md and gate.xml (JUnit), appends the former to the file
 * $GITHUB_STEP_SUMMARY, prints the text to `to`. */
int tern_gate_run(const char *baseline, const char *folder, double margin, FILE *to, tern_gate_verdict *verdict,
                  tern_error *e);

#endif
