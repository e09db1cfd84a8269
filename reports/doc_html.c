/* A document as one self-contained page: no script, no outside resource. */
#include <stdlib.h>
#include <string.h>

#include "reports/doc.h"
#include "reports/escape.h"
#include "reports/page_style.h"

static const char *const tones[TERN_TONES] = {
    [TERN_PLAIN] = "", [TERN_GOOD] = "good", [TERN_BAD] = "bad", [TERN_CAUTION] = "caution", [TERN_QUIET] = "quiet"};

static void put(FILE *out, const char *before, const char *text, const char *after) {
  fputs(before, out);
  tern_escape_html(out, text);
  fputs(after, out);
}

static void put_cell(const tern_block *b, size_t at, FILE *out) {
  size_t k = at % (size_t)b->column_count;
  const tern_cell *cell = &b->cells[at];
  const char *tone = tones[cell->tone];
  bool number = b->columns[k].number;
  fputs(k ? "<td" : "<th scope=\"row\"", out);
  if (number) fputs(" class=\"number\"", out);
  if (b->stacked && k) put(out, " data-label=\"", b->columns[k].name, "\"");
  fputc('>', out);
  if (*tone) fprintf(out, "<span class=\"%s\">", tone);
  tern_escape_html(out, cell->text);
  if (*tone) fputs("</span>", out);
  fputs(k ? "</td>" : "</th>", out);
}

static void put_table(const tern_block *b, FILE *out) {
  size_t columns = (size_t)b->column_count;
  if (columns == 0) return;
  put(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"", b->text, "\">\n");
  fprintf(out, "<table%s>\n", b->stacked ? " class=\"stacked\"" : "");
  put(out, "<caption>", b->text, "</caption>\n<thead><tr>");
  for (size_t k = 0; k < columns; k++)
    put(out, b->columns[k].number ? "<th scope=\"col\" class=\"number\">" : "<th scope=\"col\">", b->columns[k].name,
        "</th>");
  fputs("</tr></thead>\n<tbody>\n", out);
  for (size_t at = 0; at < b->cell_count; at++) {
    if (at % columns == 0) fputs("<tr>", out);
    put_cell(b, at, out);
    if (at % columns == columns - 1 || at + 1 == b->cell_count) fputs("</tr>\n", out);
  }
  fputs("</tbody>\n</table>\n</div>\n", out);
}

static void put_figure(const tern_block *b, FILE *out) {
  fputs("<figure>\n", out);
  if (b->svg)
    fprintf(out, "<div class=\"plot\" role=\"region\" tabindex=\"0\" aria-label=\"plot\">\n%s\n</div>\n", b->svg);
  else
    put(out, "<p class=\"absent\">", b->detail, "</p>\n");
  put(out, "<figcaption>", b->text, "</figcaption>\n</figure>\n");
}

/* Opening and closing of a run of equal blocks. */
static const char *const openings[] = {[TERN_BLOCK_ITEM] = "<ul>\n",
                                       [TERN_BLOCK_CARD] = "<div class=\"cards\">\n",
                                       [TERN_BLOCK_NOTICE] = "<ul class=\"notice\">\n"};
static const char *const closings[] = {
    [TERN_BLOCK_ITEM] = "</ul>\n", [TERN_BLOCK_CARD] = "</div>\n", [TERN_BLOCK_NOTICE] = "</ul>\n"};

static void put_block(const tern_block *b, FILE *out) {
  char tag[8];
  switch (b->kind) {
  case TERN_BLOCK_TITLE:
    put(out, "<h1>", b->text, "</h1>\n");
    break;
  case TERN_BLOCK_HEADING:
    snprintf(tag, sizeof tag, "h%d", b->level);
    fprintf(out, "<%s id=\"", tag);
    put(out, "", b->label, "\">");
    tern_escape_html(out, b->text);
    fprintf(out, "</%s>\n", tag);
    break;
  case TERN_BLOCK_TEXT:
    put(out, "<p>", b->text, "</p>\n");
    break;
  case TERN_BLOCK_NOTICE:
  case TERN_BLOCK_ITEM:
    put(out, "<li>", b->text, "</li>\n");
    break;
  case TERN_BLOCK_CARD:
    put(out, "<div class=\"card\"><span class=\"value\">", b->text, "</span>");
    put(out, "<span class=\"label\">", b->label, "</span>");
    put(out, "<span class=\"detail\">", b->detail, "</span></div>\n");
    break;
  case TERN_BLOCK_TABLE:
    put_table(b, out);
    break;
  case TERN_BLOCK_FIGURE:
    put_figure(b, out);
    break;
  }
}

static void put_contents(const tern_doc *d, FILE *out) {
  fputs("<nav aria-label=\"Contents\"><ul>\n", out);
  for (size_t i = 0; i < d->count; i++) {
    const tern_block *b = &d->blocks[i];
    if (b->kind != TERN_BLOCK_HEADING || b->level != 2) continue;
    put(out, "<li><a href=\"#", b->label, "\">");
    put(out, "", b->text, "</a></li>\n");
  }
  fputs("</ul></nav>\n", out);
}

void tern_doc_html(const tern_doc *d, FILE *out) {
  const char *title = d->count && d->blocks[0].kind == TERN_BLOCK_TITLE ? d->blocks[0].text : "Ternmark report";
  bool contents = false;
  fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n",
        out);
  put(out, "<title>", title, "</title>\n<style>\n");
  fputs(tern_page_style, out);
  fputs("</style>\n</head>\n<body>\n<main>\n", out);
  for (size_t i = 0; i < d->count; i++) {
    const tern_block *b = &d->blocks[i];
    bool run = b->kind == TERN_BLOCK_ITEM || b->kind == TERN_BLOCK_CARD || b->kind == TERN_BLOCK_NOTICE;
    if (b->kind == TERN_BLOCK_HEADING && !contents) {
      put_contents(d, out);
      contents = true;
    }
    if (run && (i == 0 || d->blocks[i - 1].kind != b->kind)) fputs(openings[b->kind], out);
    put_block(b, out);
    if (run && (i + 1 == d->count || d->blocks[i + 1].kind != b->kind)) fputs(closings[b->kind], out);
  }
  fputs("</main>\n</body>\n</html>\n", out);
}
