/* The table of IFEval's instructions and what its rules share. A rule says of a
 * text that is not blank whether it follows; numbers and texts of an instruction
 * come from the row's kwargs. Only harness/eval/ifeval*.c include this. */
#ifndef TERN_EVAL_IFEVAL_RULES_H
#define TERN_EVAL_IFEVAL_RULES_H

#include <stdbool.h>

#include "harness/eval/ifeval.h"

/* What Python's \s matches, within [] (PCRE2's own \s differs at U+001C..1F and U+180E). */
#define TERN_IFEVAL_SPACE                                                                                              \
  "\\x09-\\x0d\\x1c-\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

typedef struct tern_ifeval_call {
  const char *id;
  const json_t *args;
  const tern_ifeval_tools *tools;
} tern_ifeval_call;

typedef int tern_ifeval_rule(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e);

/* Keywords, counts and letters. */
tern_ifeval_rule tern_ifeval_existence, tern_ifeval_frequency, tern_ifeval_forbidden_words, tern_ifeval_letters,
    tern_ifeval_words, tern_ifeval_sentences, tern_ifeval_capital_words, tern_ifeval_no_comma;
/* Marks that a format leaves in the text. */
tern_ifeval_rule tern_ifeval_placeholders, tern_ifeval_postscript, tern_ifeval_bullets, tern_ifeval_constrained,
    tern_ifeval_highlights, tern_ifeval_sections, tern_ifeval_json, tern_ifeval_title;
/* The text as a whole. */
tern_ifeval_rule tern_ifeval_paragraphs, tern_ifeval_first_word, tern_ifeval_two_responses, tern_ifeval_repeat_prompt,
    tern_ifeval_end, tern_ifeval_quotation, tern_ifeval_language, tern_ifeval_english_capital,
    tern_ifeval_english_lowercase;

/* kwargs: a number above 0, a text. Missing ones are errors (lm-eval draws some at random). */
int tern_ifeval_number(const tern_ifeval_call *c, const char *key, long *out, tern_error *e);
const char *tern_ifeval_text(const tern_ifeval_call *c, const char *key, tern_error *e);
/* Whether `actual` is "less than" or "at least" the number. */
int tern_ifeval_related(const tern_ifeval_call *c, const char *relation, const char *number, long actual,
                        tern_followed *out, tern_error *e);
/* Matches of a pattern whose text is made as printf does it; -1: failed. */
long tern_ifeval_matches(const tern_ifeval_call *c, const char *text, tern_error *e, const char *pattern, ...)
    __attribute__((format(printf, 4, 5)));
/* Nothing but white space. */
bool tern_ifeval_blank(const char *text, size_t size);
/* text.strip() (free()). */
char *tern_ifeval_stripped(const char *text, tern_error *e);
/* json.loads accepts it. */
bool tern_ifeval_is_json(const char *text);
/* nltk.word_tokenize: each token goes to `take`. */
int tern_ifeval_tokens(const tern_punkt *p, const char *text, void (*take)(void *arg, const char *token), void *arg,
                       tern_error *e);

#endif
