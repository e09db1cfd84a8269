/* Programs to the driver, verdicts back. The driver's own line is the only one
 * on its output; a sandbox that ends without it has given no verdict. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/code_parts.h"

const tern_code_rules tern_code_rules_usual = {.least_s = 4, .factor = 4, .task_s = 60, .memory = (size_t)4 << 30};

/* Around the program: the driver, which enforces the rules' own limits. */
static tern_sandbox_limits around(double time_s, size_t memory) {
  return (tern_sandbox_limits){.wall_s = time_s + 60,
                               .cpu_s = time_s + 60,
                               .memory = memory + ((size_t)1 << 30),
                               .file = 64 << 20,
                               .output = 1 << 20,
                               .processes = 64,
                               .files = 256};
}

static const char *const names[] = {
    [TERN_CODE_PASS] = "pass", [TERN_CODE_FAIL] = "fail", [TERN_CODE_TIMEOUT] = "timeout", [TERN_CODE_LOST] = "lost"};

const char *tern_code_status_name(tern_code_status s) {
  return names[s];
}

/* `order`, then the lines; size without the NUL behind. */
static char *join(const char *order, const char *const *lines, size_t *size) {
  *size = strlen(order) + 1;
  for (const char *const *line = lines; *line; line++) *size += strlen(*line) + 1;
  char *text = malloc(*size + 1), *at = text;
  if (!text) return NULL;
  at += sprintf(at, "%s\n", order);
  for (const char *const *line = lines; *line; line++) at += sprintf(at, "%s\n", *line);
  return text;
}

int tern_code_ask(tern_sandbox *s, json_t *order, const char *const *lines, const tern_sandbox_limits *limits,
                  int *ticket, tern_error *e) {
  size_t size = 0;
  char *first = order ? json_dumps(order, JSON_ENSURE_ASCII | JSON_COMPACT) : NULL;
  char *text = first ? join(first, lines, &size) : NULL;
  int bad = text ? tern_sandbox_start_grader(s, "code", text, size, limits, ticket, e)
                 : tern_fail(e, TERN_FAILED, "code: no valid UTF-8 in the program, or out of memory");
  json_decref(order);
  free(first);
  free(text);
  return bad;
}

int tern_code_start(tern_code *c, size_t row, const char *text, tern_code_form form, int *ticket, tern_error *e) {
  const tern_code_rules *r = &c->rules;
  tern_sandbox_limits limits = around(2 * (r->task_s + 2), r->memory);
  if (row >= c->count || !c->expected[row])
    return tern_fail(e, TERN_FAILED, "%s: row %zu is not prepared", c->path, row);
  json_t *order =
      json_pack("{s:s, s:s, s:b, s:b, s:I, s:{s:f, s:f, s:f}}", "task", "evalplus", "program", text, "sanitise",
                form != TERN_CODE_PROGRAM, "complete", form == TERN_CODE_COMPLETION, "memory", (json_int_t)r->memory,
                "limits", "least", r->least_s, "factor", r->factor, "task", r->task_s);
  const char *const lines[] = {c->lines[row], c->expected[row], NULL};
  return tern_code_ask(c->sandbox, order, lines, &limits, ticket, e);
}

/* NULL: no verdict came. */
static int receive(tern_sandbox *s, int ticket, json_t **answer, tern_error *e) {
  tern_sandbox_result r;
  json_error_t wrong;
  if (tern_sandbox_wait(s, ticket, &r, e) != 0) return (int)e->status;
  *answer = r.end == TERN_SANDBOX_EXIT && r.code == 0 ? json_loadb(r.output, r.size, 0, &wrong) : NULL;
  free(r.output);
  return 0;
}

static tern_code_status status_of(const json_t *name) {
  const char *text = json_string_value(name);
  for (int i = 0; text && i < TERN_CODE_LOST; i++)
    if (strcmp(text, names[i]) == 0) return (tern_code_status)i;
  return TERN_CODE_LOST;
}

int tern_code_wait(tern_code *c, int ticket, tern_code_verdict *out, tern_error *e) {
  json_t *answer = NULL;
  if (receive(c->sandbox, ticket, &answer, e) != 0) return (int)e->status;
  out->base = status_of(json_array_get(json_object_get(answer, "base"), 0));
  out->plus = status_of(json_array_get(json_object_get(answer, "plus"), 0));
  json_decref(answer);
  return 0;
}

int tern_code_plain_start(tern_sandbox *s, const char *program, double timeout_s, int *ticket, tern_error *e) {
  tern_sandbox_limits limits = around(timeout_s, tern_code_rules_usual.memory);
  json_t *order = json_pack("{s:s, s:s, s:f}", "task", "plain", "program", program, "timeout", timeout_s);
  return tern_code_ask(s, order, (const char *const[]){NULL}, &limits, ticket, e);
}

int tern_code_plain_wait(tern_sandbox *s, int ticket, tern_code_status *out, tern_error *e) {
  json_t *answer = NULL;
  if (receive(s, ticket, &answer, e) != 0) return (int)e->status;
  *out = status_of(json_object_get(answer, "verdict"));
  json_decref(answer);
  return 0;
}

double tern_code_pass_at(size_t n, size_t c, size_t k) {
  if (k > n || c > n) return NAN;
  if (n - c < k) return 1;
  double none = 1;
  for (size_t i = n - c + 1; i <= n; i++) none *= 1 - (double)k / (double)i;
  return 1 - none;
}
