/* The table for a terminal and for a Markdown page: one matrix of texts.
 * Columns in which no row has anything are left out. */
#include "harness/bench_table.h"

#include <math.h>
#include <string.h>

#include "reports/escape.h"
#include "reports/format.h"
#include "reports/manifest.h"

typedef void put_cell(const tern_bench_row *r, char *text, size_t size);

static void put_interval(const tern_bench_figure *f, double scale, char *text, size_t size) {
  snprintf(text, size, "%s", tern_format_interval(f->median * scale, f->low * scale, f->high * scale).text);
}
static void put_number(double v, char *text, size_t size) {
  snprintf(text, size, "%s", tern_format_number(v).text);
}

static void engine(const tern_bench_row *r, char *text, size_t size) {
  snprintf(text, size, "%s", r->engine);
}
static void model(const tern_bench_row *r, char *text, size_t size) {
  snprintf(text, size, "%s", r->model);
}
static void workload(const tern_bench_row *r, char *text, size_t size) {
  snprintf(text, size, "%s", r->workload);
}
static void threads(const tern_bench_row *r, char *text, size_t size) {
  snprintf(text, size, "%lld", (long long)r->threads);
}
static void placement(const tern_bench_row *r, char *text, size_t size) {
  snprintf(text, size, "%s", r->placement);
}
static void speed(const tern_bench_row *r, char *text, size_t size) {
  put_interval(&r->speed, 1, text, size);
}
static void ratio(const tern_bench_row *r, char *text, size_t size) {
  if (strcmp(r->engine, r->reference) == 0)
    snprintf(text, size, "1");
  else
    put_interval(&r->ratio, 1, text, size);
}
static void bandwidth(const tern_bench_row *r, char *text, size_t size) {
  put_number(r->bandwidth_share.median * 100, text, size);
}
static void ttft(const tern_bench_row *r, char *text, size_t size) {
  put_number(r->ttft.median, text, size);
}
static void tokens(const tern_bench_row *r, char *text, size_t size) {
  text[0] = '\0';
  if (!isnan(r->token_p50.median))
    snprintf(text, size, "%.20s / %.20s / %.20s", tern_format_number(r->token_p50.median).text,
             tern_format_number(r->token_p90.median).text, tern_format_number(r->token_p99.median).text);
}
static void joules(const tern_bench_row *r, char *text, size_t size) {
  text[0] = '\0';
  if (!isnan(r->energy.median))
    snprintf(text, size, "%.40s %.30s%s", tern_format_number(r->energy.median).text, r->energy_scope,
             strcmp(r->energy_how, "measured") == 0 ? "" : ", modelled");
}
static void disturbed(const tern_bench_row *r, char *text, size_t size) {
  put_number(r->disturbed_share * 100, text, size);
}
static void count(const tern_bench_row *r, char *text, size_t size) {
  snprintf(text, size, "%lld", (long long)r->n);
}

static const struct {
  const char *name;
  put_cell *put;
  bool number;
} columns[] = {
    {"model", model, false},
    {"engine", engine, false},
    {"workload", workload, false},
    {"threads", threads, true},
    {"placement", placement, false},
    {"tokens/s", speed, true},
    {"x reference", ratio, true},
    {"% bandwidth", bandwidth, true},
    {"first token ms", ttft, true},
    {"token p50/p90/p99 ms", tokens, true},
    {"J/token", joules, true},
    {"% disturbed", disturbed, true},
    {"n", count, true},
};
enum { COLUMNS = sizeof columns / sizeof *columns, CELL = 256 };

/* Width of a column; 0: nothing in any row. */
static int width_of(const tern_bench *b, size_t column) {
  size_t most = 0;
  char text[CELL];
  for (size_t i = 0; i < b->count; i++) {
    columns[column].put(&b->rows[i], text, sizeof text);
    size_t n = 0; /* characters, not bytes */
    for (const char *s = text; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
    if (n > most) most = n;
  }
  size_t name = strlen(columns[column].name);
  return most == 0 ? 0 : (int)(most > name ? most : name);
}

static void put_padded(const char *text, int width, bool number, bool last, FILE *to) {
  int n = 0;
  for (const char *s = text; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
  int blanks = n < width ? width - n : 0;
  if (number) fprintf(to, "%*s", blanks, "");
  tern_escape_ascii(to, text);
  if (!number && !last) fprintf(to, "%*s", blanks, "");
  fputs(last ? "\n" : "  ", to);
}

static int last_column(const int *widths) {
  int last = 0;
  for (int k = 0; k < COLUMNS; k++)
    if (widths[k]) last = k;
  return last;
}

static void put_line(const tern_bench_row *row, const int *widths, FILE *to) {
  int last = last_column(widths);
  for (int k = 0; k < COLUMNS; k++) {
    char text[CELL];
    if (!widths[k]) continue;
    if (row)
      columns[k].put(row, text, sizeof text);
    else
      snprintf(text, sizeof text, "%s", columns[k].name);
    put_padded(text, widths[k], columns[k].number, k == last, to);
  }
}

/* "2B4T: stopped by precision after 12 blocks; half widths: ternary/f16 0.8 %". */
static void put_stops(const tern_bench *b, const char *before, void (*escape)(FILE *, const char *), FILE *to) {
  const json_t *stopped = tern_manifest_at(b->results.manifest, "stopped");
  for (size_t i = 0; i < json_array_size(stopped); i++) {
    char name[96], by[48], blocks[24];
    const json_t *s = json_array_get(stopped, i);
    fputs(before, to);
    escape(to, tern_manifest_text(s, "model", name, sizeof name));
    fputs(": stopped by ", to);
    escape(to, tern_manifest_text(s, "by", by, sizeof by));
    fprintf(to, " after %s blocks", tern_manifest_text(s, "blocks", blocks, sizeof blocks));
    const char *key;
    json_t *value;
    const char *join = "; half widths: ";
    json_object_foreach((json_t *)json_object_get(s, "half_widths"), key, value) {
      if (!json_is_number(value)) continue;
      fputs(join, to);
      escape(to, key);
      fprintf(to, " %s %%", tern_format_number(json_number_value(value) * 100).text);
      join = ", ";
    }
    fputc('\n', to);
  }
}

int tern_bench_table(const tern_bench *b, FILE *to, tern_error *e) {
  int widths[COLUMNS];
  for (size_t k = 0; k < COLUMNS; k++) widths[k] = width_of(b, k);
  if (b->count == 0) fputs("no sample was taken\n", to);
  if (b->count) put_line(NULL, widths, to);
  for (size_t i = 0; i < b->count; i++) put_line(&b->rows[i], widths, to);
  const char *reference = tern_results_reference(&b->results);
  if (*reference) {
    fputs("reference: ", to);
    tern_escape_ascii(to, reference);
    fputs("; medians [intervals]\n", to);
  }
  put_stops(b, "", tern_escape_ascii, to);
  return ferror(to) ? tern_fail_errno(e, "standard output") : 0;
}

int tern_bench_markdown(const tern_bench *b, FILE *to, tern_error *e) {
  int widths[COLUMNS];
  for (size_t k = 0; k < COLUMNS; k++) widths[k] = width_of(b, k);
  fputc('|', to);
  for (size_t k = 0; k < COLUMNS; k++)
    if (widths[k]) fprintf(to, " %s |", columns[k].name);
  fputs("\n|", to);
  for (size_t k = 0; k < COLUMNS; k++)
    if (widths[k]) fputs(columns[k].number ? " ---: |" : " --- |", to);
  fputc('\n', to);
  for (size_t i = 0; i < b->count; i++) {
    fputc('|', to);
    for (size_t k = 0; k < COLUMNS; k++) {
      char text[CELL];
      if (!widths[k]) continue;
      columns[k].put(&b->rows[i], text, sizeof text);
      fputc(' ', to);
      tern_escape_markdown(to, text);
      fputs(" |", to);
    }
    fputc('\n', to);
  }
  fputc('\n', to);
  put_stops(b, "- ", tern_escape_markdown, to);
  return ferror(to) ? tern_fail_errno(e, "standard output") : 0;
}
