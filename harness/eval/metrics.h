/* Rows of the table of metrics: a file each, or one for a few that are alike.
 * metric_table.c lists them. */
#ifndef TERN_EVAL_METRICS_H
#define TERN_EVAL_METRICS_H

#include "harness/eval/score.h"

/* Choices (metric_choices.c). */
extern const tern_metric tern_metric_acc, tern_metric_acc_norm, tern_metric_acc_bytes, tern_metric_f1, tern_metric_mc2;
/* Texts; of choices whether the gold one is the most likely text (metric_exact.c). */
extern const tern_metric tern_metric_exact_match;
/* Rolling log-likelihoods (metric_rolling.c). */
extern const tern_metric tern_metric_word_perplexity, tern_metric_byte_perplexity, tern_metric_bits_per_byte;
/* MATH: normalised texts, sympy, math_verify (math_metric.c). */
extern const tern_metric tern_metric_minerva_math, tern_metric_hendrycks_math;
/* Instructions followed (ifeval_metric.c). */
extern const tern_metric tern_metric_ifeval;
/* Programs (code_metric.c). */
extern const tern_metric tern_metric_evalplus, tern_metric_pass_at_1;

#endif
