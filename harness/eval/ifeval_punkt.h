/* Sentences as NLTK's Punkt finds them (Kiss and Strunk 2006: abbreviations,
 * collocations, frequent first words and the case that words were seen in), from
 * its own tables of English (punkt_tab), which are fetched data. Equal to NLTK
 * 3.10.4, which counts curly quotation marks and guillemets as closing marks. One
 * thread at a time. */
#ifndef TERN_EVAL_IFEVAL_PUNKT_H
#define TERN_EVAL_IFEVAL_PUNKT_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_punkt tern_punkt;
typedef struct tern_punkt_span {
  size_t from, to; /* bytes of the text */
} tern_punkt_span;

/* folder: that of abbrev_types.txt, collocations.tab, sent_starters.txt, ortho_context.tab. */
int tern_punkt_open(tern_punkt **out, const char *folder, tern_error *e);
void tern_punkt_close(tern_punkt *p); /* NULL allowed */
/* spans (free()) may be NULL: only the count is wanted. */
int tern_punkt_sentences(const tern_punkt *p, const char *text, tern_punkt_span **spans, size_t *count, tern_error *e);

#endif
