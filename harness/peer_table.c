/* llama-bench's Markdown table, its output when none is asked for: the columns
 * "test" (pp512, tg128, "tg128 @ d4096") and "t/s" ("17.14 +- 0.05"), rounded
 * to two digits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/peer_read.h"

enum { MOST_CELLS = 32, MOST_CELL = 96, MOST_LINE = 2048 };

typedef struct line {
  char cells[MOST_CELLS][MOST_CELL];
  int count;
} line;

static void split(line *out, const char *text, size_t size) {
  out->count = 0;
  const char *end = text + size;
  for (const char *p = text + 1; p < end && out->count < MOST_CELLS;) {
    const char *bar = memchr(p, '|', (size_t)(end - p));
    if (!bar) break;
    while (p < bar && (*p == ' ' || *p == '\t')) p++;
    const char *last = bar;
    while (last > p && (last[-1] == ' ' || last[-1] == '\t')) last--;
    snprintf(out->cells[out->count++], MOST_CELL, "%.*s", (int)(last - p < MOST_CELL ? last - p : MOST_CELL - 1), p);
    p = bar + 1;
  }
}

static const char *cell(const line *header, const line *row, const char *name) {
  for (int i = 0; i < header->count && i < row->count; i++)
    if (strcmp(header->cells[i], name) == 0) return row->cells[i];
  return NULL;
}

/* NULL: a row that is not of one kind of test. */
static json_t *make_row(const line *header, const line *row) {
  const char *test = cell(header, row, "test"), *speed = cell(header, row, "t/s");
  const char *threads = cell(header, row, "threads");
  char kind[3] = "";
  int tokens = 0, depth = 0, used = 0;
  double rate = 0;
  if (!test || !speed || sscanf(speed, "%lf", &rate) != 1) return NULL;
  if (sscanf(test, "%2[pgt]%d%n", kind, &tokens, &used) != 2) return NULL;
  if (test[used] && sscanf(test + used, " @ d%d", &depth) != 1) return NULL;
  bool prompt = strcmp(kind, "pp") == 0;
  if (!prompt && strcmp(kind, "tg") != 0) return NULL;
  json_t *made = json_pack("{s:i, s:i, s:i, s:f}", "n_prompt", prompt ? tokens : 0, "n_gen", prompt ? 0 : tokens,
                           "n_depth", depth, "avg_ts", rate);
  if (made && threads) json_object_set_new(made, "n_threads", json_string(threads));
  return made;
}

json_t *tern_peer_rows_table(const char *text) {
  json_t *rows = json_array();
  line header = {.count = 0}, row;
  for (const char *p = text; rows && p && *p;) {
    size_t size = strcspn(p, "\n");
    if (*p == '|' && size < MOST_LINE) {
      split(&row, p, size);
      json_t *made = make_row(&header, &row);
      if (made)
        json_array_append_new(rows, made);
      else if (cell(&row, &row, "test") && cell(&row, &row, "t/s"))
        header = row;
    }
    p = p[size] ? p + size + 1 : NULL;
  }
  return rows;
}
