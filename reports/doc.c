/* Building documents. */
#include "reports/doc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void tern_doc_free(tern_doc *d) {
  for (size_t i = 0; i < d->count; i++) {
    tern_block *b = &d->blocks[i];
    for (size_t k = 0; k < b->cell_count; k++) free(b->cells[k].text);
    free(b->cells);
    free(b->columns);
    free(b->text);
    free(b->label);
    free(b->detail);
    free(b->svg);
  }
  free(d->blocks);
  *d = (tern_doc){0};
}

int tern_doc_failed(const tern_doc *d, tern_error *e) {
  return d->failed ? tern_fail(e, TERN_FAILED, "report: out of memory") : 0;
}

/* A copy; remembers failure. */
static char *copy(tern_doc *d, const char *text) {
  char *c = strdup(text);
  if (!c) d->failed = true;
  return c;
}

static tern_block *append(tern_doc *d, tern_block_kind kind) {
  if (d->count == d->room) {
    size_t want = d->room ? d->room * 2 : 64;
    tern_block *more = realloc(d->blocks, want * sizeof *more);
    if (!more) {
      d->failed = true;
      return NULL;
    }
    d->blocks = more;
    d->room = want;
  }
  tern_block *b = &d->blocks[d->count++];
  *b = (tern_block){.kind = kind};
  return b;
}

static char *format_text(tern_doc *d, const char *format, va_list list) {
  char *text;
  if (vasprintf(&text, format, list) >= 0) return text;
  d->failed = true;
  return NULL;
}

#define FORMATTED(function, block_kind)                                                                                \
  void function(tern_doc *d, const char *format, ...) {                                                                \
    va_list list;                                                                                                      \
    va_start(list, format);                                                                                            \
    tern_block *b = append(d, block_kind);                                                                             \
    if (b) b->text = format_text(d, format, list);                                                                     \
    va_end(list);                                                                                                      \
  }
FORMATTED(tern_doc_title, TERN_BLOCK_TITLE)
FORMATTED(tern_doc_text, TERN_BLOCK_TEXT)
FORMATTED(tern_doc_notice, TERN_BLOCK_NOTICE)
FORMATTED(tern_doc_item, TERN_BLOCK_ITEM)

void tern_doc_heading(tern_doc *d, int level, const char *anchor, const char *text) {
  tern_block *b = append(d, TERN_BLOCK_HEADING);
  if (!b) return;
  b->level = level;
  b->text = copy(d, text);
  b->label = copy(d, anchor);
}

void tern_doc_card(tern_doc *d, const char *value, const char *label, const char *detail) {
  tern_block *b = append(d, TERN_BLOCK_CARD);
  if (!b) return;
  b->text = copy(d, value);
  b->label = copy(d, label);
  b->detail = copy(d, detail);
}

void tern_doc_table(tern_doc *d, const char *caption, const tern_column *columns, int count, bool stacked) {
  tern_block *b = append(d, TERN_BLOCK_TABLE);
  if (!b) return;
  b->text = copy(d, caption);
  b->stacked = stacked;
  b->columns = malloc((size_t)count * sizeof *columns);
  if (!b->columns) {
    d->failed = true;
    return;
  }
  memcpy(b->columns, columns, (size_t)count * sizeof *columns);
  b->column_count = count;
}

void tern_doc_cell(tern_doc *d, tern_tone tone, const char *format, ...) {
  tern_block *b = d->count ? &d->blocks[d->count - 1] : NULL;
  if (!b || b->kind != TERN_BLOCK_TABLE || d->failed) return;
  if (b->cell_count == b->cell_room) {
    size_t want = b->cell_room ? b->cell_room * 2 : 64;
    tern_cell *more = realloc(b->cells, want * sizeof *more);
    if (!more) {
      d->failed = true;
      return;
    }
    b->cells = more;
    b->cell_room = want;
  }
  va_list list;
  va_start(list, format);
  b->cells[b->cell_count++] = (tern_cell){format_text(d, format, list), tone};
  va_end(list);
}

void tern_doc_figure(tern_doc *d, char *svg, const char *why, const char *caption, const char *description) {
  tern_block *b = append(d, TERN_BLOCK_FIGURE);
  if (!b) {
    free(svg);
    return;
  }
  b->svg = svg;
  b->text = copy(d, caption);
  b->label = copy(d, description);
  b->detail = copy(d, why ? why : "");
}
