/* A document as GitHub-flavoured Markdown. Plots are only in the page. */
#include "reports/doc.h"
#include "reports/escape.h"

static void put_row(const tern_block *b, size_t row, FILE *out) {
  for (size_t k = 0; k < (size_t)b->column_count; k++) {
    size_t at = row * (size_t)b->column_count + k;
    fputs(k ? " | " : "| ", out);
    tern_escape_markdown(out, at < b->cell_count ? b->cells[at].text : "");
  }
  fputs(" |\n", out);
}

static void put_table(const tern_block *b, FILE *out) {
  size_t columns = (size_t)b->column_count;
  if (columns == 0) return;
  fputs("*", out);
  tern_escape_markdown(out, b->text);
  fputs("*\n\n|", out);
  for (size_t k = 0; k < columns; k++) {
    fputc(' ', out);
    tern_escape_markdown(out, b->columns[k].name);
    fputs(" |", out);
  }
  fputs("\n|", out);
  for (size_t k = 0; k < columns; k++) fputs(b->columns[k].number ? " ---: |" : " --- |", out);
  fputc('\n', out);
  for (size_t row = 0; row * columns < b->cell_count; row++) put_row(b, row, out);
  fputc('\n', out);
}

static void put_line(const char *before, const char *text, const char *after, FILE *out) {
  fputs(before, out);
  tern_escape_markdown(out, text);
  fputs(after, out);
}

static void put_card(const tern_block *b, FILE *out) {
  put_line("- **", b->text, "** ", out);
  put_line("", b->label, "", out);
  if (b->detail && *b->detail) put_line(" (", b->detail, ")", out);
  fputc('\n', out);
}

void tern_doc_markdown(const tern_doc *d, FILE *out) {
  static const char *const marks[] = {"# ", "# ", "## ", "### ", "#### "};
  for (size_t i = 0; i < d->count; i++) {
    const tern_block *b = &d->blocks[i];
    bool list = b->kind == TERN_BLOCK_ITEM || b->kind == TERN_BLOCK_CARD;
    switch (b->kind) {
    case TERN_BLOCK_TITLE:
      put_line("# ", b->text, "\n\n", out);
      break;
    case TERN_BLOCK_HEADING:
      put_line(marks[b->level], b->text, "\n\n", out);
      break;
    case TERN_BLOCK_TEXT:
      put_line("", b->text, "\n\n", out);
      break;
    case TERN_BLOCK_NOTICE:
      put_line("> **Note.** ", b->text, "\n\n", out);
      break;
    case TERN_BLOCK_ITEM:
      put_line("- ", b->text, "\n", out);
      break;
    case TERN_BLOCK_CARD:
      put_card(b, out);
      break;
    case TERN_BLOCK_TABLE:
      put_table(b, out);
      break;
    case TERN_BLOCK_FIGURE:
      break;
    }
    if (list && (i + 1 == d->count || d->blocks[i + 1].kind != b->kind)) fputc('\n', out);
  }
}
