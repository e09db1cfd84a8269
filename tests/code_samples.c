/* Verdicts over a file of programs in EvalPlus's form: a line a program,
 * {"task_id", "solution"} or {"task_id", "completion"}, each answered by its
 * verdicts; pass@k at the end. --sanitise: solutions are sanitised first.
 * What docs/graders.md compares with EvalPlus's own. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/code.h"
#include "harness/eval/rows.h"

typedef struct tally {
  size_t programs, base, plus;
} tally;

typedef struct samples {
  tern_rows *problems, *programs;
  tern_sandbox *sandbox;
  tern_code *code;
  size_t *problem; /* of a program */
  tally *tallies;  /* of a problem */
} samples;

static const char *text_at(const tern_rows *rows, size_t i, const char *key) {
  return json_string_value(json_object_get(tern_rows_at(rows, i), key));
}

static int match(samples *s, tern_error *e) {
  size_t count = tern_rows_count(s->programs), problems = tern_rows_count(s->problems);
  s->problem = calloc(count, sizeof *s->problem);
  s->tallies = calloc(problems, sizeof *s->tallies);
  if (!s->problem || !s->tallies) return tern_fail(e, TERN_FAILED, "out of memory");
  for (size_t i = 0; i < count; i++) {
    const char *task = text_at(s->programs, i, "task_id");
    size_t k = 0;
    while (k < problems && task && strcmp(text_at(s->problems, k, "task_id"), task) != 0) k++;
    if (!task || k == problems) return tern_rows_fail(s->programs, i, e, "no problem has its task_id");
    s->problem[i] = k;
  }
  return 0;
}

static int prepare(samples *s, tern_error *e) {
  size_t count = tern_rows_count(s->problems);
  size_t *rows = calloc(count, sizeof *rows);
  if (!rows) return tern_fail(e, TERN_FAILED, "out of memory");
  for (size_t i = 0; i < count; i++) rows[i] = i;
  int bad = tern_code_prepare(s->code, rows, count, e);
  free(rows);
  return bad;
}

static int start(samples *s, size_t i, bool sanitise, int *ticket, tern_error *e) {
  const char *solution = text_at(s->programs, i, "solution"), *completion = text_at(s->programs, i, "completion");
  if (!solution && !completion) return tern_rows_fail(s->programs, i, e, "neither solution nor completion");
  tern_code_form form = completion ? TERN_CODE_COMPLETION : sanitise ? TERN_CODE_REPLY : TERN_CODE_PROGRAM;
  return tern_code_start(s->code, s->problem[i], completion ? completion : solution, form, ticket, e);
}

static int finish(samples *s, size_t i, int ticket, tern_error *e) {
  tern_code_verdict v;
  if (tern_code_wait(s->code, ticket, &v, e) != 0) return (int)e->status;
  tally *t = &s->tallies[s->problem[i]];
  t->programs++;
  t->base += v.base == TERN_CODE_PASS;
  t->plus += v.base == TERN_CODE_PASS && v.plus == TERN_CODE_PASS;
  printf("%zu %s %s %s\n", i, text_at(s->programs, i, "task_id"), tern_code_status_name(v.base),
         tern_code_status_name(v.plus));
  return fflush(stdout) == 0 ? 0 : tern_fail_errno(e, "standard output");
}

/* As many in flight as the sandbox runs, so that rows come as they are ready. */
static int judge(samples *s, bool sanitise, size_t parallel, tern_error *e) {
  size_t count = tern_rows_count(s->programs);
  int *tickets = calloc(count + 1, sizeof *tickets), bad = tickets ? 0 : tern_fail(e, TERN_FAILED, "out of memory");
  for (size_t i = 0; !bad && i < count + parallel; i++) {
    if (i >= parallel && i - parallel < count) bad = finish(s, i - parallel, tickets[i - parallel], e);
    if (!bad && i < count) bad = start(s, i, sanitise, &tickets[i], e);
  }
  free(tickets);
  return bad;
}

static void print_pass_at(const samples *s) {
  static const size_t ks[] = {1, 10, 100};
  size_t least = SIZE_MAX, count = tern_rows_count(s->problems);
  for (size_t i = 0; i < count; i++)
    if (s->tallies[i].programs < least) least = s->tallies[i].programs;
  for (size_t j = 0; j < sizeof ks / sizeof *ks && ks[j] <= least; j++) {
    double base = 0, plus = 0;
    for (size_t i = 0; i < count; i++) {
      base += tern_code_pass_at(s->tallies[i].programs, s->tallies[i].base, ks[j]);
      plus += tern_code_pass_at(s->tallies[i].programs, s->tallies[i].plus, ks[j]);
    }
    printf("pass@%zu %.3f base, %.3f base and extra tests\n", ks[j], base / (double)count, plus / (double)count);
  }
}

int main(int argc, char **argv) {
  bool sanitise = argc == 6 && strcmp(argv[5], "--sanitise") == 0;
  samples s = {0};
  tern_error e = {0};
  if (argc != 5 && !sanitise) {
    fputs("usage: code_samples PROBLEMS SAMPLES PARALLEL LEAST_SECONDS [--sanitise]\n", stderr);
    return TERN_USAGE;
  }
  int parallel = atoi(argv[3]);
  tern_code_rules rules = tern_code_rules_usual;
  rules.least_s = atof(argv[4]);
  int bad = tern_rows_read(&s.problems, argv[1], &e);
  if (!bad) bad = tern_rows_read(&s.programs, argv[2], &e);
  if (!bad) bad = match(&s, &e);
  if (!bad) bad = tern_sandbox_open_python(&s.sandbox, parallel, &e);
  if (!bad) bad = tern_code_open(&s.code, s.sandbox, argv[1], &rules, &e);
  if (!bad) bad = prepare(&s, &e);
  if (!bad) bad = judge(&s, sanitise, (size_t)(parallel > 0 ? parallel : 1), &e);
  if (!bad) print_pass_at(&s);
  if (bad) fprintf(stderr, "code_samples: %s\n", e.text);
  tern_code_close(s.code);
  tern_sandbox_close(s.sandbox);
  tern_rows_close(s.programs);
  tern_rows_close(s.problems);
  free(s.problem);
  free(s.tallies);
  return bad ? (int)e.status : 0;
}
