/* Sums run from first to last as Python's sum does (plain until 3.12; a longer
 * mantissa than double's would be another figure's last digit). */
#include "harness/eval/aggregate.h"

#include <math.h>
#include <stdlib.h>

#include "harness/eval/python_random.h"

enum { CHUNK = 1000 };

double tern_eval_mean(const double *v, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += v[i];
  return n ? sum / (double)n : NAN;
}

static double deviation(const double *v, size_t n) {
  double mean = tern_eval_mean(v, n), sum = 0;
  for (size_t i = 0; i < n; i++) sum += (v[i] - mean) * (v[i] - mean);
  return n > 1 ? sqrt(sum / (double)(n - 1)) : NAN;
}

double tern_eval_stderr(const double *v, size_t n) {
  return deviation(v, n) / sqrt((double)n);
}

double tern_group_mean(const double *means, const size_t *sizes, size_t n) {
  double sum = 0, items = 0;
  for (size_t i = 0; i < n; i++) {
    sum += means[i] * (double)sizes[i];
    items += (double)sizes[i];
  }
  return sum / items;
}

double tern_group_stderr(const double *stderrs, const size_t *sizes, size_t n) {
  double sum = 0, items = 0;
  for (size_t i = 0; i < n; i++) {
    double size = (double)sizes[i];
    sum += (size - 1) * (stderrs[i] * stderrs[i]) * size;
    items += size;
  }
  if (!(items > (double)n)) return NAN;
  return sqrt(sum / (items - (double)n) / items);
}

double tern_group_stderr_plain(const double *stderrs, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += stderrs[i] * stderrs[i];
  return n ? sqrt(sum) / (double)n : NAN;
}

/* Verdicts by what they count for. */
typedef struct counts {
  size_t hit, lone; /* gold and chosen; only one of them */
} counts;

static void count(counts *c, const tern_verdict *v) {
  c->hit += v->gold == 1 && v->chosen == 1;
  c->lone += (v->gold == 1) != (v->chosen == 1);
}

static double f1(const counts *c) {
  return c->hit ? 2.0 * (double)c->hit / (double)(2 * c->hit + c->lone) : 0;
}

double tern_eval_f1(const tern_verdict *v, size_t n) {
  counts c = {0};
  for (size_t i = 0; i < n; i++) count(&c, &v[i]);
  return f1(&c);
}

int tern_eval_f1_stderr(const tern_verdict *v, size_t n, size_t rounds, double *out, tern_error *e) {
  size_t chunk = rounds < CHUNK ? rounds : CHUNK, chunks = chunk ? rounds / chunk : 0;
  *out = NAN;
  if (n == 0 || chunks == 0) return 0;
  double *drawn = calloc(chunk * chunks, sizeof *drawn);
  if (drawn == NULL) return tern_fail(e, TERN_FAILED, "f1: %zu resamples: out of memory", rounds);
  for (size_t i = 0; i < chunks; i++) {
    tern_python_random r;
    tern_python_seed(&r, (int64_t)i);
    for (size_t j = 0; j < chunk; j++) {
      counts c = {0};
      for (size_t k = 0; k < n; k++) count(&c, &v[(size_t)(tern_python_unit(&r) * (double)n)]);
      drawn[i * chunk + j] = f1(&c);
    }
  }
  *out = deviation(drawn, chunk * chunks);
  free(drawn);
  return 0;
}

double tern_eval_perplexity(double logprob, double units) {
  return exp(-logprob / units);
}

double tern_eval_bits_per_byte(double logprob, double bytes) {
  return -logprob / bytes / log(2);
}
