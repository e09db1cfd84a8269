/* Profiles as rows. A team's row adds up its members, so shares are of
 * members x wall time. */
#include "harness/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/progress.h"

_Static_assert((int)TERN_COUNTERS <= (int)TERN_PROFILE_VALUES, "a profile holds every counter");

static void read_counters(void *arg, int member, int64_t *values) {
  tern_counters_now(arg, member, values);
}

void tern_profile_count(tern_profile *p, tern_counters *c) {
  tern_profile_read_with(p, c ? read_counters : NULL, c, TERN_COUNTERS);
}

static void put_header(FILE *f) {
  fprintf(
      f, "engine,model,placement,workload,phase,pass,threads,member,chunks,tokens,wall_s,operator,calls,seconds,share");
  for (int i = 0; i < TERN_COUNTERS; i++) fprintf(f, ",%s", tern_counter_name((tern_counter)i));
  fputc('\n', f);
}

/* Quotes doubled, as CSV wants it; model names may hold commas. */
static void put_text(FILE *f, const char *text) {
  fputc('"', f);
  for (; *text; text++) {
    if (*text == '"') fputc('"', f);
    fputc(*text, f);
  }
  fputs("\",", f);
}

static void put_row(FILE *f, const tern_profile_label *l, const tern_profile_sums *s, int member, tern_operator op,
                    const tern_profile_cell *c, bool counted) {
  double seconds = 1e-9 * (double)c->ns, whole = s->wall_s * (member < 0 ? s->members : 1);
  put_text(f, l->engine);
  put_text(f, l->model);
  put_text(f, l->placement);
  put_text(f, l->workload);
  put_text(f, l->phase);
  if (l->pass >= 0) fprintf(f, "%d", l->pass);
  fprintf(f, ",%d,", s->members);
  if (member < 0)
    fputs("all,", f);
  else
    fprintf(f, "%d,", member);
  fprintf(f, "%" PRId64 ",%" PRId64 ",%.9g,%s,%" PRId64 ",%.9g,%.6g", s->chunks, s->tokens, s->wall_s,
          tern_operator_name(op), c->calls, seconds, whole > 0 ? seconds / whole : 0.0);
  for (int i = 0; i < TERN_COUNTERS; i++) {
    fputc(',', f);
    if (counted && c->values[i] >= 0) fprintf(f, "%" PRId64, c->values[i]);
  }
  fputc('\n', f);
}

/* START and END hold no counters, METER is the reading itself. */
static bool holds_counters(tern_operator op) {
  return op != TERN_OP_START && op != TERN_OP_END && op != TERN_OP_METER;
}

static tern_profile_cell team_cell(const tern_profile *p, int members, tern_operator op) {
  tern_profile_cell all = {0};
  for (int m = 0; m < members; m++) {
    const tern_profile_cell *c = tern_profile_of(p, m, op);
    all.calls += c->calls;
    all.ns += c->ns;
    for (int i = 0; i < TERN_COUNTERS; i++)
      all.values[i] = all.values[i] < 0 || c->values[i] < 0 ? -1 : all.values[i] + c->values[i];
  }
  return all;
}

static void put_rows(FILE *f, const tern_profile_label *label, const tern_profile *p) {
  const tern_profile_sums s = tern_profile_total(p);
  bool counted = s.members > 0 && tern_profile_of(p, 0, TERN_OP_METER)->calls > 0;
  for (int i = 0; i < TERN_OPERATORS; i++) {
    tern_operator op = (tern_operator)i;
    tern_profile_cell all = team_cell(p, s.members, op);
    if (!all.calls) continue;
    put_row(f, label, &s, -1, op, &all, counted && holds_counters(op));
    for (int m = 0; m < s.members; m++)
      put_row(f, label, &s, m, op, tern_profile_of(p, m, op), counted && holds_counters(op));
  }
}

int tern_profile_write(const char *path, const tern_profile_label *label, const tern_profile *p, tern_error *e) {
  char *text = NULL;
  size_t size = 0;
  struct stat info;
  FILE *rows = NULL;
  e->status = TERN_OK;
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0 || fstat(fd, &info) != 0) {
    tern_fail_errno(e, "%s: cannot write the profile", path);
    goto out;
  }
  rows = open_memstream(&text, &size);
  if (rows) {
    if (info.st_size == 0) put_header(rows);
    put_rows(rows, label, p);
  }
  if (!rows || fclose(rows) != 0) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    goto out;
  }
  if (write(fd, text, size) != (ssize_t)size || fsync(fd) != 0)
    tern_fail_errno(e, "%s: cannot write the profile", path);
out:
  if (fd >= 0) close(fd);
  free(text);
  return (int)e->status;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double tern_profile_cost(void) {
  enum { ROUNDS = 101, MARKS = 100 };
  double seconds[ROUNDS];
  tern_profile *p;
  tern_error ignored;
  if (tern_profile_open(&p, 1, &ignored)) return 0;
  tern_profile_begin(p, 1);
  for (int i = 0; i < ROUNDS; i++) {
    double start = tern_now();
    for (int k = 0; k < MARKS; k++) tern_profile_mark(tern_profile_lane_of(p, 0), TERN_OP_NORM);
    seconds[i] = (tern_now() - start) / MARKS;
  }
  tern_profile_close(p);
  qsort(seconds, ROUNDS, sizeof *seconds, by_size);
  return seconds[ROUNDS / 2];
}
