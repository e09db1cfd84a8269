#include "harness/eval/changes_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/python_json.h"

enum { CELL = 96, COLUMNS = 10 };

/* Figures as they are printed in papers: accuracies in percent. */
static void number(char *out, const tern_change *c, double v, const char *sign) {
  if (!isfinite(v))
    snprintf(out, CELL, "n/a");
  else if (c->kind == TERN_CHANGE_LOGPROB)
    snprintf(out, CELL, *sign ? "%+.5f" : "%.5f", v);
  else
    snprintf(out, CELL, *sign ? "%+.2f" : "%.2f", 100 * v);
}

static void interval(char *out, const tern_change *c) {
  char low[CELL], high[CELL];
  number(low, c, c->difference.low, "+");
  number(high, c, c->difference.high, "+");
  snprintf(out, CELL, "%.40s to %.40s", low, high);
}

static void fill(const tern_changes_table *t, size_t i, char cells[COLUMNS][CELL]) {
  const tern_change *c = &t->changes->rows[i];
  snprintf(cells[0], CELL, "%s", c->task);
  snprintf(cells[1], CELL, "%s", c->figure);
  snprintf(cells[2], CELL, "%zu", c->items);
  number(cells[3], c, c->before, "");
  number(cells[4], c, c->now, "");
  number(cells[5], c, c->difference.difference, "+");
  interval(cells[6], c);
  snprintf(cells[7], CELL, "%.3g", c->p);
  snprintf(cells[8], CELL, "%zu+ %zu-", c->won, c->lost);
  snprintf(cells[9], CELL, "%s", t->word != NULL ? t->word(t->arg, i) : "");
}

static size_t columns(const tern_changes_table *t) {
  return t->word != NULL ? COLUMNS : COLUMNS - 1;
}

static void write_row(const tern_changes_table *t, char cells[COLUMNS][CELL], const size_t *widths, FILE *to) {
  size_t last = columns(t) - 1;
  for (size_t i = 0; i <= last; i++) {
    if (t->markdown)
      fprintf(to, "| %s ", cells[i]);
    else if (i < 2)
      fprintf(to, "%-*s  ", (int)widths[i], cells[i]);
    else
      fprintf(to, "%*s%s", i == COLUMNS - 1 ? 0 : (int)widths[i], cells[i], i < last ? "  " : "");
  }
  fputs(t->markdown ? "|\n" : "\n", to);
}

void tern_changes_table_write(const tern_changes_table *t, FILE *to) {
  char cells[COLUMNS][CELL] = {"task", "figure", "items", "", "", "difference", "95 % interval", "p", "changed", ""};
  size_t widths[COLUMNS], n;
  snprintf(cells[3], CELL, "%.60s", t->before);
  snprintf(cells[4], CELL, "%.60s", t->now);
  for (size_t i = 0; i < COLUMNS; i++) widths[i] = strlen(cells[i]);
  for (size_t row = 0; row < t->changes->count; row++) {
    char own[COLUMNS][CELL];
    fill(t, row, own);
    for (size_t i = 0; i < COLUMNS; i++) widths[i] = (n = strlen(own[i])) > widths[i] ? n : widths[i];
  }
  write_row(t, cells, widths, to);
  for (size_t i = 0; t->markdown && i < columns(t); i++) fputs(i < 2 || i == COLUMNS - 1 ? "|---" : "|--:", to);
  if (t->markdown) fputs("|\n", to);
  for (size_t row = 0; row < t->changes->count; row++) {
    fill(t, row, cells);
    write_row(t, cells, widths, to);
  }
}

void tern_markdown_cell(const char *text, size_t most, FILE *to) {
  size_t shown = 0;
  for (const char *c = text; *c != '\0'; c++) {
    bool first = ((unsigned char)*c & 0xc0) != 0x80;
    if (first && shown++ == most) {
      fputs("...", to);
      return;
    }
    if (*c == '\n')
      fputs("\\n", to);
    else if ((unsigned char)*c < 32)
      fputc(' ', to);
    else if (*c == '<')
      fputs("&lt;", to);
    else if (*c == '&')
      fputs("&amp;", to);
    else if (strchr("|`\\*_[]", *c) != NULL)
      fprintf(to, "\\%c", *c);
    else
      fputc(*c, to);
  }
}

static void write_text(const char *text, bool markdown, FILE *to) {
  enum { SHOWN = 60 };
  char *copy = strndup(text, 4096), *at = copy;
  if (markdown) {
    tern_markdown_cell(text, SHOWN, to);
  } else if (copy != NULL) {
    for (; *at != '\0'; at++) {
      if ((unsigned char)*at < 32) *at = ' ';
    }
    size_t cut = strlen(copy);
    if (cut > SHOWN) cut = SHOWN;
    while (cut > 0 && ((unsigned char)copy[cut] & 0xc0) == 0x80) cut--;
    fprintf(to, "\"%.*s\"%s", (int)cut, copy, copy[cut] != '\0' ? "..." : "");
  }
  free(copy);
}

static void write_item(const tern_changed_item *item, bool markdown, FILE *to) {
  const char *figure;
  json_t *pair;
  tern_error ignored;
  fprintf(to, markdown ? "- `%s` %" JSON_INTEGER_FORMAT ":" : "  %s %" JSON_INTEGER_FORMAT ":", item->task, item->id);
  json_object_foreach(item->figures, figure, pair) {
    char *was = tern_python_dumps(json_array_get(pair, 0), 0, &ignored);
    char *is = tern_python_dumps(json_array_get(pair, 1), 0, &ignored);
    fprintf(to, " %s %s -> %s;", figure, was != NULL ? was : "?", is != NULL ? is : "?");
    free(was);
    free(is);
  }
  if (item->was != NULL && item->is != NULL) {
    fputs(" text ", to);
    write_text(item->was, markdown, to);
    fputs(" -> ", to);
    write_text(item->is, markdown, to);
  } else {
    fprintf(to, " log-likelihoods differ by up to %.3g", item->most);
  }
  if (item->target != NULL) {
    fputs("; target ", to);
    write_text(item->target, markdown, to);
  }
  fputc('\n', to);
}

static void write_runs(const json_t *differ, bool markdown, FILE *to) {
  const char *key;
  json_t *pair;
  tern_error ignored;
  if (json_object_size(differ) == 0) return;
  fputs(markdown ? "\nWhat ran differs in:\n\n" : "what ran differs in:\n", to);
  json_object_foreach((json_t *)differ, key, pair) {
    char *was = tern_python_dumps(json_array_get(pair, 0), 0, &ignored);
    char *is = tern_python_dumps(json_array_get(pair, 1), 0, &ignored);
    fprintf(to, markdown ? "- `%s`: " : "  %s: ", key);
    if (was != NULL && is != NULL) fprintf(to, "%.80s -> %.80s\n", was, is);
    free(was);
    free(is);
  }
}

void tern_changes_items_write(const tern_changes *c, bool markdown, FILE *to) {
  write_runs(c->runs_differ, markdown, to);
  if (c->item_count == 0) return;
  fputs(markdown ? "\nItems that changed:\n\n" : "items that changed:\n", to);
  /* those that changed a figure come first: others only moved */
  size_t shown = 0;
  for (int figures = 1; figures >= 0; figures--) {
    for (size_t i = 0; i < c->item_count; i++) {
      if ((json_object_size(c->items[i].figures) > 0) != (figures == 1)) continue;
      if (shown++ < TERN_CHANGES_SHOWN) write_item(&c->items[i], markdown, to);
    }
  }
  if (shown > TERN_CHANGES_SHOWN)
    fprintf(to, markdown ? "- and %zu more\n" : "  and %zu more\n", shown - TERN_CHANGES_SHOWN);
}
