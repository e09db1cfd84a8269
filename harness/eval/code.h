/* Verdicts over programs, given in the sandbox by datasets/graders/code.py: by
 * EvalPlus's rules (HumanEval+: base and extra tests against what the canonical
 * solution gives), and by code_eval's (a program that carries its test). */
#ifndef TERN_EVAL_CODE_H
#define TERN_EVAL_CODE_H

#include "harness/eval/sandbox_python.h"

/* EvalPlus's limits. Its release 0.3.1 has least_s 1, its later source 4. */
typedef struct tern_code_rules {
  double least_s, factor; /* a test's time: the greater of least_s and factor x the canonical solution's */
  double task_s;          /* all tests of a kind together */
  size_t memory;          /* bytes of the program's process */
} tern_code_rules;
extern const tern_code_rules tern_code_rules_usual;

typedef enum tern_code_status {
  TERN_CODE_PASS,
  TERN_CODE_FAIL,
  TERN_CODE_TIMEOUT, /* or the program's process ended */
  TERN_CODE_LOST     /* the sandbox ended with everything in it: a failure, too */
} tern_code_status;
const char *tern_code_status_name(tern_code_status s);

typedef struct tern_code_verdict {
  tern_code_status base, plus; /* plus: the extra tests alone; passing counts with base only */
} tern_code_verdict;

typedef enum tern_code_form {
  TERN_CODE_COMPLETION, /* goes on where the prompt ends; sanitised with it */
  TERN_CODE_REPLY,      /* has the whole function in it; sanitised */
  TERN_CODE_PROGRAM     /* run as it is */
} tern_code_form;

/* The problems of a file in HumanEvalPlus.jsonl's form (.gz or not). They are
 * read by Python from the file's own lines, for inputs have integers of any
 * width. One thread. */
typedef struct tern_code tern_code;
int tern_code_open(tern_code **out, tern_sandbox *s, const char *path, const tern_code_rules *rules, tern_error *e);
void tern_code_close(tern_code *c); /* NULL allowed; tickets end with their sandbox */

/* Rows (lines that are not empty, from 0) that will be judged against: what the canonical solution gives
 * comes from the cache, else from running it. */
int tern_code_prepare(tern_code *c, const size_t *rows, size_t count, tern_error *e);
/* Of a prepared row. Waits while as many run as the sandbox allows. */
int tern_code_start(tern_code *c, size_t row, const char *text, tern_code_form form, int *ticket, tern_error *e);
int tern_code_wait(tern_code *c, int ticket, tern_code_verdict *out, tern_error *e);

/* A program that carries its test; passes when it runs to its end in time. */
int tern_code_plain_start(tern_sandbox *s, const char *program, double timeout_s, int *ticket, tern_error *e);
int tern_code_plain_wait(tern_sandbox *s, int ticket, tern_code_status *out, tern_error *e);

/* Of n programs, c of them right, the chance that k drawn ones have a right one
 * among them: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021). NAN for k > n. */
double tern_code_pass_at(size_t n, size_t c, size_t k);

#endif
