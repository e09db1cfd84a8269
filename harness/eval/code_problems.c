/* Problems of a file, and what their canonical solutions give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/code_parts.h"
#include "harness/eval/rows_parts.h"

static const size_t file_limit = (size_t)1 << 30;

/* Canonical solutions are slow here and there, and all their output comes back. */
static const tern_sandbox_limits expecting = {.wall_s = 900,
                                              .cpu_s = 900,
                                              .memory = (size_t)8 << 30,
                                              .file = 64 << 20,
                                              .output = (size_t)256 << 20,
                                              .processes = 64,
                                              .files = 256};

static int split(tern_code *c, tern_error *e) {
  size_t room = 1;
  for (const char *at = c->text; *at; at++) room += *at == '\n';
  c->lines = calloc(room, sizeof *c->lines);
  c->expected = calloc(room, sizeof *c->expected);
  if (!c->lines || !c->expected) return tern_fail(e, TERN_FAILED, "%s: out of memory", c->path);
  for (char *at = c->text; at && *at;) {
    char *line = at;
    at = strchr(at, '\n');
    if (at) *at++ = '\0';
    if (line[strspn(line, " \t\r")]) c->lines[c->count++] = line;
  }
  return 0;
}

int tern_code_open(tern_code **out, tern_sandbox *s, const char *path, const tern_code_rules *rules, tern_error *e) {
  size_t size;
  *out = NULL;
  tern_code *c = calloc(1, sizeof *c);
  if (!c) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  c->sandbox = s;
  c->rules = *rules;
  c->path = strdup(path);
  c->text = c->path ? tern_rows_bytes(path, file_limit, &size, e) : NULL;
  if (c->text && split(c, e) == 0 && tern_sandbox_python_version(s, "", c->python, sizeof c->python, e) == 0) {
    *out = c;
    return 0;
  }
  tern_code_close(c);
  return (int)e->status;
}

void tern_code_close(tern_code *c) {
  if (!c) return;
  for (size_t i = 0; c->expected && i < c->count; i++) free(c->expected[i]);
  free(c->expected);
  free(c->lines);
  free(c->text);
  free(c->path);
  free(c);
}

static int find(tern_code *c, size_t row, int *ticket, tern_error *e) {
  char path[4096];
  *ticket = -1;
  if (row >= c->count) return tern_fail(e, TERN_FAILED, "%s: has no row %zu", c->path, row);
  if (c->expected[row]) return 0;
  if (tern_code_cache_path(c, row, path, sizeof path, e) != 0) return (int)e->status;
  c->expected[row] = tern_code_cache_read(path);
  if (c->expected[row]) return 0;
  const char *const lines[] = {c->lines[row], NULL};
  return tern_code_ask(c->sandbox, json_pack("{s:s}", "task", "expected"), lines, &expecting, ticket, e);
}

static int keep(tern_code *c, size_t row, int ticket, tern_error *e) {
  char path[4096];
  tern_sandbox_result r;
  if (tern_sandbox_wait(c->sandbox, ticket, &r, e) != 0) return (int)e->status;
  char *end = strchr(r.output, '\n');
  if (r.end != TERN_SANDBOX_EXIT || r.code != 0 || !end) {
    tern_fail(e, TERN_FAILED, "%s: row %zu: what its canonical solution gives is not to be had (%s %d): %.200s",
              c->path, row, tern_sandbox_end_name(r.end), r.code, r.output);
    free(r.output);
    return (int)e->status;
  }
  *end = '\0';
  free(c->expected[row]); /* the row may have been asked for twice */
  c->expected[row] = r.output;
  if (tern_code_cache_path(c, row, path, sizeof path, e) != 0) return (int)e->status;
  if (path[0]) tern_code_cache_write(path, r.output);
  return 0;
}

int tern_code_prepare(tern_code *c, const size_t *rows, size_t count, tern_error *e) {
  enum { AHEAD = 16 }; /* results that wait, some of them long */
  int tickets[AHEAD], bad = 0;
  for (size_t i = 0; !bad && i < count + AHEAD; i++) {
    /* What was begun when one fails ends with the sandbox. */
    if (i >= AHEAD && tickets[i % AHEAD] >= 0) bad = keep(c, rows[i - AHEAD], tickets[i % AHEAD], e);
    tickets[i % AHEAD] = -1;
    if (!bad && i < count) bad = find(c, rows[i], &tickets[i % AHEAD], e);
  }
  return bad;
}
