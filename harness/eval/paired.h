/* Statistics of two runs over the same items. */
#ifndef TERN_EVAL_PAIRED_H
#define TERN_EVAL_PAIRED_H

#include <stddef.h>

/* McNemar's exact test, two-sided: items that only one run has right. */
double tern_mcnemar(size_t won, size_t lost);

typedef struct tern_interval {
  double difference, low, high; /* 95 % */
} tern_interval;
/* Difference of two accuracies over n items: Tango's score interval (Statistics
 * in Medicine 17, 1998), which holds for few changes, too. */
tern_interval tern_paired_accuracy(size_t won, size_t lost, size_t n);
/* Mean of differences, normal; one item has no interval (NAN). */
tern_interval tern_paired_mean(const double *differences, size_t n);
/* sum(differences) / sum(units): items as clusters of their units. */
tern_interval tern_paired_ratio(const double *differences, const double *units, size_t n);
/* p-value, two-sided, of an interval's estimate against none, normal. */
double tern_interval_p(tern_interval i);

/* Holm's step-down over n tests; p holds no NAN. */
void tern_holm(const double *p, double *adjusted, size_t n);

#endif
