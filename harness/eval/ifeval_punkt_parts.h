/* The parts of Punkt: its tables, and whether a short context has a sentence's
 * end in it. Only harness/eval/ifeval_punkt*.c include this. */
#ifndef TERN_EVAL_IFEVAL_PUNKT_PARTS_H
#define TERN_EVAL_IFEVAL_PUNKT_PARTS_H

#include <stdbool.h>

#include "harness/eval/ifeval_punkt.h"
#include "harness/eval/regex.h"

/* Characters no word has within: closing and opening marks, quotation marks, ? and !. */
#define TERN_PUNKT_APART "[)\";}\\]*:@'({\\[\\x{2018}\\x{2019}\\x{201c}\\x{201d}\\xab\\xbb?!]"

/* Lines of a table, sorted; value: the number behind the last tab of ortho_context. */
typedef struct tern_punkt_line {
  const char *key;
  unsigned value;
} tern_punkt_line;
typedef struct tern_punkt_table {
  char *bytes;
  tern_punkt_line *lines;
  size_t count;
} tern_punkt_table;

enum { TERN_PUNKT_ABBREVIATIONS, TERN_PUNKT_COLLOCATIONS, TERN_PUNKT_STARTERS, TERN_PUNKT_CASES, TERN_PUNKT_TABLES };

struct tern_punkt {
  tern_punkt_table tables[TERN_PUNKT_TABLES];
  tern_regex *ends, *realigned, *words, *number, *initial;
};

const tern_punkt_line *tern_punkt_find(const tern_punkt *p, int table, const char *key);
/* Whether a sentence ends within context, before its last token; context is written to. */
int tern_punkt_ends_within(const tern_punkt *p, char *context, bool *ends, tern_error *e);

#endif
