/* WikiText as lm-eval reads it: its test file cut into articles, and the text of
 * an article without the marks of tokenisation. Words and bytes are counted in
 * the article as it stands in the file. Rule: lm-eval's dataset script and
 * wikitext_detokenizer (0.4.13); 62 pages of the raw test file. */
#ifndef TERN_EVAL_PAGES_H
#define TERN_EVAL_PAGES_H

#include "harness/eval/rows.h"

/* Rows {"page": text} of a text file (.gz allowed); a page begins at each line
 * that is a heading of the first level, its row's line is that line. */
int tern_pages_read(tern_rows **out, const char *path, tern_error *e);

/* The scored text (free()). */
char *tern_wikitext_detokenize(const char *page, tern_error *e);

/* len(re.split(r"\s+", text)): an empty piece at either end counts. */
size_t tern_wikitext_words(const char *text);

#endif
