/* samples.csv through libcsv. Writing: a row is put together in the stream's
 * buffer and leaves in one write(2). */
#include "harness/sample.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"

typedef enum kind { INTEGER, SIGNED, REAL, TEXT } kind; /* SIGNED: -1 is a value */

typedef struct column {
  const char *name;
  kind kind;
  size_t offset, size;
  bool later; /* not in the folders of the first program: may be missing */
} column;

#define FIELD(k, name)                                                                                                 \
  { #name, k, offsetof(tern_sample, name), sizeof((tern_sample *)0)->name, false }
#define LATER(k, name)                                                                                                 \
  { #name, k, offsetof(tern_sample, name), sizeof((tern_sample *)0)->name, true }
#define COUNTER(i, name, later)                                                                                        \
  { name, INTEGER, offsetof(tern_sample, counters) + (i) * sizeof(int64_t), sizeof(int64_t), later }

static const column columns[] = {
    FIELD(INTEGER, sample),
    FIELD(SIGNED, block),
    FIELD(INTEGER, place),
    FIELD(REAL, start_s),
    FIELD(TEXT, engine),
    FIELD(TEXT, model),
    FIELD(TEXT, workload),
    FIELD(TEXT, phase),
    FIELD(INTEGER, threads),
    FIELD(TEXT, kernel),
    FIELD(TEXT, head),
    FIELD(TEXT, kv),
    FIELD(INTEGER, tokens),
    FIELD(REAL, seconds),
    FIELD(REAL, read_gbs),
    FIELD(INTEGER, bytes_per_token),
    FIELD(REAL, joules),
    FIELD(TEXT, joules_how),
    FIELD(TEXT, joules_scope),
    FIELD(TEXT, joules_why),
    FIELD(INTEGER, body_bytes),
    FIELD(INTEGER, head_bytes),
    FIELD(INTEGER, embedding_bytes),
    FIELD(INTEGER, kv_bytes),
    FIELD(INTEGER, peak_rss_bytes),
    COUNTER(TERN_CYCLES, "cycles", false),
    COUNTER(TERN_INSTRUCTIONS, "instructions", false),
    COUNTER(TERN_CACHE_MISSES, "cache_misses", false),
    COUNTER(TERN_BRANCH_MISSES, "branch_misses", false),
    COUNTER(TERN_TASK_CLOCK, "task_clock_ns", false),
    COUNTER(TERN_PAGE_FAULTS, "page_faults", false),
    COUNTER(TERN_CONTEXT_SWITCHES, "context_switches", false),
    COUNTER(TERN_MIGRATIONS, "migrations", false),
    FIELD(INTEGER, steal_ticks),
    FIELD(TEXT, mark),
    LATER(INTEGER, attempt),
    LATER(TEXT, placement),
    LATER(INTEGER, batch),
    LATER(INTEGER, calls),
    LATER(REAL, ttft_s),
    LATER(REAL, token_p50_s),
    LATER(REAL, token_p90_s),
    LATER(REAL, token_p99_s),
    LATER(REAL, joules_net),
    LATER(REAL, idle_watts),
    LATER(TEXT, joules_note),
    LATER(INTEGER, pass),
    LATER(TEXT, disturbed),
    COUNTER(TERN_REF_CYCLES, "ref_cycles", true),
    COUNTER(TERN_L1D_MISSES, "l1d_misses", true),
    COUNTER(TERN_L2_MISSES, "l2_misses", true),
    COUNTER(TERN_BRANCHES, "branches", true),
    COUNTER(TERN_STALLED_FRONTEND, "stalled_frontend", true),
    COUNTER(TERN_STALLED_BACKEND, "stalled_backend", true),
    COUNTER(TERN_VECTOR_OPS, "vector_ops", true),
    COUNTER(TERN_MEMORY_BYTES, "memory_bytes", true),
    COUNTER(TERN_MAJOR_FAULTS, "major_faults", true),
};

enum { COLUMNS = sizeof columns / sizeof *columns, FILE_LIMIT = 1 << 30, FIELD_LIMIT = 4096, HEADER_LIMIT = 256 };

void tern_sample_clear(tern_sample *s) {
  memset(s, 0, sizeof *s);
  for (int i = 0; i < COLUMNS; i++) {
    void *at = (char *)s + columns[i].offset;
    if (columns[i].kind == INTEGER) *(int64_t *)at = TERN_NO_COUNT;
    if (columns[i].kind == REAL) *(double *)at = NAN;
  }
}

struct tern_samples {
  FILE *stream;
  char *path;
};

static int finish_row(tern_samples *s, tern_error *e) {
  if (fputc('\n', s->stream) == EOF || fflush(s->stream) != 0)
    return tern_fail_errno(e, "%s: cannot write the sample", s->path);
  return 0;
}

int tern_samples_create(tern_samples **out, const char *path, tern_error *e) {
  *out = NULL;
  tern_samples *s = calloc(1, sizeof *s);
  if (!s || !(s->path = strdup(path))) {
    free(s);
    return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  }
  s->stream = fopen(path, "wxe");
  if (!s->stream) {
    if (errno == EEXIST)
      tern_fail(e, TERN_FAILED, "%s: already holds a run; choose another folder with --out", path);
    else
      tern_fail_errno(e, "%s: cannot create", path);
    tern_error ignored;
    tern_samples_close(s, &ignored);
    return (int)e->status;
  }
  for (int i = 0; i < COLUMNS; i++) {
    if (i) fputc(',', s->stream);
    fputs(columns[i].name, s->stream);
  }
  if (finish_row(s, e)) {
    tern_error ignored;
    tern_samples_close(s, &ignored);
    return (int)e->status;
  }
  *out = s;
  return 0;
}

/* Cuts the file after its last whole row, and checks its header. */
static int trim(const char *path, tern_error *e) {
  char header[4096] = "";
  size_t used = 0, size;
  for (int i = 0; i < COLUMNS; i++)
    used += (size_t)snprintf(header + used, sizeof header - used, "%s%s", i ? "," : "", columns[i].name);
  char *text = tern_file_read(path, FILE_LIMIT, &size, e);
  if (!text) return (int)e->status;
  while (size > 0 && text[size - 1] != '\n') size--;
  bool ours = size > used && strncmp(text, header, used) == 0 && text[used] == '\n';
  free(text);
  if (!ours) return tern_fail(e, TERN_FAILED, "%s: other columns than this program's; it can't be gone on with", path);
  return truncate(path, (off_t)size) == 0 ? 0 : tern_fail_errno(e, "%s: cannot take a cut row away", path);
}

int tern_samples_reopen(tern_samples **out, const char *path, tern_error *e) {
  *out = NULL;
  if (trim(path, e)) return (int)e->status;
  tern_samples *s = calloc(1, sizeof *s);
  if (!s || !(s->path = strdup(path))) {
    free(s);
    return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  }
  s->stream = fopen(path, "ae");
  if (!s->stream) {
    tern_fail_errno(e, "%s: cannot write", path);
    free(s->path);
    free(s);
    return (int)e->status;
  }
  *out = s;
  return 0;
}

/* The cell's text; empty when not available. */
static void cell_text(const column *c, const tern_sample *s, char text[FIELD_LIMIT]) {
  const void *at = (const char *)s + c->offset;
  text[0] = '\0';
  switch (c->kind) {
  case INTEGER:
  case SIGNED:
    if (c->kind == SIGNED || *(const int64_t *)at != TERN_NO_COUNT)
      snprintf(text, FIELD_LIMIT, "%" PRId64, *(const int64_t *)at);
    break;
  case REAL:
    if (!isnan(*(const double *)at)) snprintf(text, FIELD_LIMIT, "%.9g", *(const double *)at);
    break;
  case TEXT:
    snprintf(text, FIELD_LIMIT, "%.*s", (int)c->size, (const char *)at);
    break;
  }
}

int tern_samples_append(tern_samples *s, const tern_sample *sample, tern_error *e) {
  char text[FIELD_LIMIT];
  for (int i = 0; i < COLUMNS; i++) {
    if (i) fputc(',', s->stream);
    cell_text(&columns[i], sample, text);
    if (columns[i].kind == TEXT && text[0])
      csv_fwrite(s->stream, text, strlen(text)); /* quotes; errors stick to the stream */
    else
      fputs(text, s->stream);
  }
  return finish_row(s, e);
}

int tern_samples_close(tern_samples *s, tern_error *e) {
  if (!s) return 0;
  int bad = 0;
  if (s->stream) {
    bad = fsync(fileno(s->stream)) != 0;
    bad |= fclose(s->stream) != 0;
    if (bad) tern_fail_errno(e, "%s: cannot finish writing", s->path);
  }
  free(s->path);
  free(s);
  return bad ? TERN_FAILED : 0;
}

/* What libcsv's callbacks fill; they can't stop the parser, so the first
 * error is kept and the rest passed over. */
typedef struct reading {
  const char *path;
  tern_error *e;
  int order[HEADER_LIMIT]; /* file column -> row of the table, -1: unknown */
  int fields;              /* in the header */
  int field;               /* of the row being read */
  size_t row;
  tern_sample now, *rows;
  size_t count, room;
} reading;

static void read_header(reading *r, const char *text) {
  if (r->field >= HEADER_LIMIT) {
    tern_fail(r->e, TERN_FAILED, "%s: more than %d columns", r->path, HEADER_LIMIT);
    return;
  }
  r->order[r->field] = -1;
  for (int i = 0; i < COLUMNS; i++)
    if (strcmp(columns[i].name, text) == 0) r->order[r->field] = i;
}

static void read_cell(reading *r, const column *c, const char *text) {
  void *at = (char *)&r->now + c->offset;
  if (c->kind == TEXT) {
    snprintf(at, c->size, "%s", text);
    return;
  }
  if (!text[0]) return;
  char *end;
  errno = 0;
  if (c->kind == REAL)
    *(double *)at = strtod(text, &end);
  else
    *(int64_t *)at = strtoll(text, &end, 10);
  if (*end || errno)
    tern_fail(r->e, TERN_FAILED, "%s: row %zu: %s: '%.40s' is no number", r->path, r->row, c->name, text);
}

static void on_field(void *data, size_t size, void *arg) {
  reading *r = arg;
  if (r->e->status) return;
  const char *text = data ? data : "";
  if (size > FIELD_LIMIT || (data && strlen(text) != size))
    tern_fail(r->e, TERN_FAILED, "%s: row %zu: a field of %zu bytes is no sample's", r->path, r->row, size);
  else if (r->row == 0)
    read_header(r, text);
  else if (r->field < r->fields && r->order[r->field] >= 0)
    read_cell(r, &columns[r->order[r->field]], text);
  r->field++;
}

static void end_header(reading *r) {
  r->fields = r->field;
  for (int i = 0; i < COLUMNS; i++) {
    bool found = false;
    for (int f = 0; f < r->fields; f++) found |= r->order[f] == i;
    if (!found && !columns[i].later) {
      tern_fail(r->e, TERN_FAILED, "%s: column '%s' is missing; is this a samples.csv?", r->path, columns[i].name);
      return;
    }
  }
}

static void keep_row(reading *r) {
  if (r->count == r->room) {
    size_t room = r->room ? 2 * r->room : 64;
    tern_sample *rows = realloc(r->rows, room * sizeof *rows);
    if (!rows) {
      tern_fail(r->e, TERN_FAILED, "%s: out of memory", r->path);
      return;
    }
    r->rows = rows;
    r->room = room;
  }
  r->rows[r->count++] = r->now;
}

static void on_row(int end, void *arg) {
  (void)end;
  reading *r = arg;
  if (r->e->status) return;
  if (r->row == 0)
    end_header(r);
  else if (r->field != r->fields)
    tern_fail(r->e, TERN_FAILED, "%s: row %zu has %d fields, the header %d", r->path, r->row, r->field, r->fields);
  else
    keep_row(r);
  r->row++;
  r->field = 0;
  tern_sample_clear(&r->now);
}

int tern_samples_read(const char *path, tern_sample **out, size_t *count, tern_error *e) {
  *out = NULL;
  *count = 0;
  size_t size;
  char *text = tern_file_read(path, FILE_LIMIT, &size, e);
  if (!text) return (int)e->status;
  /* A run killed in the middle of a row leaves it without its newline. */
  while (size > 0 && text[size - 1] != '\n') size--;
  reading r = {.path = path, .e = e};
  tern_sample_clear(&r.now);
  e->status = TERN_OK;
  struct csv_parser parser;
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
    free(text);
    return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  }
  bool broken = csv_parse(&parser, text, size, on_field, on_row, &r) != size;
  broken |= csv_fini(&parser, on_field, on_row, &r) != 0;
  if (broken && !e->status)
    tern_fail(e, TERN_FAILED, "%s: row %zu: not valid CSV: %s", path, r.row, csv_strerror(csv_error(&parser)));
  csv_free(&parser);
  free(text);
  if (!e->status && r.row == 0) tern_fail(e, TERN_FAILED, "%s: no header row", path);
  if (e->status) {
    free(r.rows);
    return (int)e->status;
  }
  *out = r.rows;
  *count = r.count;
  return 0;
}
