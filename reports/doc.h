/* A document without a form: headings, paragraphs, lists, tables, figures, all
 * of plain text. The renderers escape; whoever builds need not. An allocation
 * that fails is remembered and reported by tern_doc_failed. */
#ifndef TERN_REPORTS_DOC_H
#define TERN_REPORTS_DOC_H

#include <stdbool.h>
#include <stdio.h>

#include "engine/base/error.h"

typedef enum tern_block_kind {
  TERN_BLOCK_TITLE,
  TERN_BLOCK_HEADING,
  TERN_BLOCK_TEXT,
  TERN_BLOCK_NOTICE, /* a warning that must not be missed */
  TERN_BLOCK_ITEM,   /* neighbours form one list */
  TERN_BLOCK_CARD,   /* a key figure; neighbours form one row */
  TERN_BLOCK_TABLE,
  TERN_BLOCK_FIGURE
} tern_block_kind;

typedef enum tern_tone { TERN_PLAIN, TERN_GOOD, TERN_BAD, TERN_CAUTION, TERN_QUIET, TERN_TONES } tern_tone;

typedef struct tern_column {
  const char *name;
  bool number; /* set to the right */
} tern_column;

typedef struct tern_cell {
  char *text;
  tern_tone tone;
} tern_cell;

typedef struct tern_block {
  tern_block_kind kind;
  int level;    /* of a heading */
  char *text;   /* text, caption, card's value */
  char *label;  /* card's label, heading's anchor, figure's long description */
  char *detail; /* card's small print */
  char *svg;    /* figure: <svg> element; NULL: `detail` says why there is none */
  tern_column *columns;
  int column_count;
  bool stacked; /* rows of much text: narrow screens show them one under another */
  tern_cell *cells;
  size_t cell_count, cell_room;
} tern_block;

typedef struct tern_doc {
  tern_block *blocks;
  size_t count, room;
  bool failed;
} tern_doc;

void tern_doc_free(tern_doc *d);
int tern_doc_failed(const tern_doc *d, tern_error *e);

void tern_doc_title(tern_doc *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tern_doc_heading(tern_doc *d, int level, const char *anchor, const char *text);
void tern_doc_text(tern_doc *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tern_doc_notice(tern_doc *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tern_doc_item(tern_doc *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tern_doc_card(tern_doc *d, const char *value, const char *label, const char *detail);
/* Opens a table; cells then fill it row by row. */
void tern_doc_table(tern_doc *d, const char *caption, const tern_column *columns, int count, bool stacked);
void tern_doc_cell(tern_doc *d, tern_tone tone, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Takes `svg` (malloc'ed, may be NULL: then `why`). */
void tern_doc_figure(tern_doc *d, char *svg, const char *why, const char *caption, const char *description);

/* Renderers; errors stay in the stream. */
void tern_doc_markdown(const tern_doc *d, FILE *out);
void tern_doc_html(const tern_doc *d, FILE *out);

#endif
