/* Answers to mathematical problems as lm-eval's minerva_math and hendrycks_math
 * find and spell them: what stands in the box of a solution, what a response says
 * at its end, and each publication's normalisation (Lewkowycz et al. 2022,
 * appendix D; Hendrycks et al. 2021). Texts returned are the caller's (free()). */
#ifndef TERN_EVAL_MATH_TEXT_H
#define TERN_EVAL_MATH_TEXT_H

#include <stdbool.h>

#include "engine/base/error.h"

/* What the last \boxed{...} (or "\boxed x", up to a $) of a solution holds; fails
 * when there is none. */
char *tern_math_boxed(const char *solution, tern_error *e);

typedef struct tern_minerva tern_minerva;
int tern_minerva_open(tern_minerva **out, tern_error *e);
void tern_minerva_close(tern_minerva *m); /* NULL allowed */
/* What a response says behind "Final Answer: The final answer is"; "[invalidanswer]" where it doesn't. */
char *tern_minerva_answer(const tern_minerva *m, const char *response, tern_error *e);
char *tern_minerva_normal(const tern_minerva *m, const char *answer, tern_error *e);

/* Between the first and the last $ of a response, or all of it. */
char *tern_hendrycks_answer(const char *response, tern_error *e);
/* Equal when normalised; what can't be normalised must be equal as it is. */
int tern_hendrycks_same(const char *a, const char *b, bool *same, tern_error *e);

/* s.replace(from, to) of a text that is taken over; NULL in, or out of memory: NULL out. */
char *tern_math_replace(char *s, const char *from, const char *to);

#endif
