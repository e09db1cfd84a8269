/* Figures of a task from those of its items, in lm-eval's definitions. */
#ifndef TERN_EVAL_AGGREGATE_H
#define TERN_EVAL_AGGREGATE_H

#include <stddef.h>

#include "engine/base/error.h"

/* Sum from first to last, divided. NAN without items. */
double tern_eval_mean(const double *v, size_t n);
/* Sample deviation (n - 1) over sqrt(n); NAN below two items. */
double tern_eval_stderr(const double *v, size_t n);

/* A group weighted by the sizes of its tasks. */
double tern_group_mean(const double *means, const size_t *sizes, size_t n);
/* Pooled as lm-eval does; NAN unless there are more items than tasks. */
double tern_group_stderr(const double *stderrs, const size_t *sizes, size_t n);
/* Of an unweighted group. */
double tern_group_stderr_plain(const double *stderrs, size_t n);

/* Binary F1 of class 1 (scikit-learn's f1_score); 0 where it is undefined. */
typedef struct tern_verdict {
  int gold, chosen;
} tern_verdict;
double tern_eval_f1(const tern_verdict *v, size_t n);
/* Its standard error by lm-eval's bootstrap: chunks of min(1000, rounds)
 * resamples, chunk i drawn from random.Random(i). */
int tern_eval_f1_stderr(const tern_verdict *v, size_t n, size_t rounds, double *out, tern_error *e);

/* Of summed natural log-likelihoods. */
double tern_eval_perplexity(double logprob, double units);    /* exp(-sum / units) */
double tern_eval_bits_per_byte(double logprob, double bytes); /* -sum / bytes / ln 2 */

#endif
