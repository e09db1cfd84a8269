/* Perplexity by two definitions, which give different numbers for one text:
 * llama.cpp's: chunks of n positions of the whole text, its own first token in
 *   each (BOS where the tokenizer adds one), tokens n/2 + 1 .. n - 1 scored.
 * lm-eval's (loglikelihood_rolling): every token scored once in windows of n,
 *   the first begins with BOS (else EOS), each further one sees the token before
 *   it, the last is shifted back to be full; per word and per byte. */
#ifndef TERN_HARNESS_PERPLEXITY_H
#define TERN_HARNESS_PERPLEXITY_H

#include "engine/generate/schedule.h"

enum { TERN_MOST_WINDOWS = 64 }; /* at once, of use */

typedef struct tern_perplexity {
  int64_t windows, tokens, scored; /* tokens of the text */
  double sum, squares;             /* of -log p, natural */
} tern_perplexity;

typedef struct tern_perplexity_params {
  int window;    /* n; at least 4 */
  int most;      /* windows at most; 0: all */
  int32_t first; /* chunks: put in the place of each one's first token, -1: leave it; rolling: before the text */
  bool progress;
} tern_perplexity_params;

/* The schedule has contexts of at least p->window. */
int tern_perplexity_chunks(tern_schedule *s, const int32_t *ids, int n, const tern_perplexity_params *p,
                           tern_perplexity *out, tern_error *e);
int tern_perplexity_rolling(tern_schedule *s, const int32_t *ids, int n, const tern_perplexity_params *p,
                            tern_perplexity *out, tern_error *e);

double tern_perplexity_value(const tern_perplexity *p);
/* Standard error of the value, as llama.cpp gives it; NAN below two tokens. */
double tern_perplexity_error(const tern_perplexity *p);
/* Pieces between runs of white space, as Python's re.split(r"\s+") counts them. */
int64_t tern_count_words(const char *text, size_t size);

#endif
