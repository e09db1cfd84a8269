/* The sampler: greedy choice, filters, and that draws follow the softmax. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/random.h"
#include "engine/text/sampler.h"

static tern_sampler *sampler(int vocab, tern_sampler_params p) {
  tern_error e = {0};
  tern_sampler *s;
  if (tern_sampler_open(&s, vocab, &p, &e) != TERN_OK) fail_msg("%s", e.text);
  return s;
}

static void fill(float *logits, int n, uint64_t seed) {
  for (int i = 0; i < n; i++) logits[i] = (float)(8 * tern_random_unit(tern_random_at(seed, 0, (uint64_t)i)));
}

static int falling_floats(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x < y) - (x > y);
}

static void greedy_takes_the_lowest_id_of_equals(void **state) {
  (void)state;
  float logits[] = {1, 3, NAN, 3, -INFINITY, INFINITY, 2};
  tern_sampler *s = sampler(7, (tern_sampler_params){.temperature = 0, .top_p = 1});
  assert_int_equal(tern_sampler_next(s, logits), 1);
  assert_int_equal(tern_argmax(logits, 7), 1);
  assert_int_equal(tern_argmax(logits + 2, 1), -1);
  tern_sampler_close(s);
}

static void logits_that_are_not_finite_are_never_drawn(void **state) {
  (void)state;
  float logits[64];
  for (int i = 0; i < 64; i++) logits[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? -INFINITY : 0.1f * (float)i;
  const tern_sampler_params kinds[] = {{.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 1},
                                       {.temperature = 1, .top_k = 5, .top_p = 1, .min_p = 0, .seed = 1},
                                       {.temperature = 1, .top_k = 0, .top_p = 0.9f, .min_p = 0, .seed = 1},
                                       {.temperature = 1, .top_k = 20, .top_p = 0.9f, .min_p = 0.1f, .seed = 1}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    tern_sampler *s = sampler(64, kinds[k]);
    for (int i = 0; i < 500; i++) assert_int_equal(tern_sampler_next(s, logits) % 3, 2);
    tern_sampler_close(s);
  }
  for (int i = 0; i < 64; i++) logits[i] = NAN;
  tern_sampler *s = sampler(64, kinds[0]);
  assert_int_equal(tern_sampler_next(s, logits), -1);
  tern_sampler_close(s);
}

/* Chi-square of 20000 draws against the weights given (0: never drawn). */
static void expect_distribution(tern_sampler *s, float *logits, int n, const double *weight) {
  enum { DRAWS = 20000 };
  int *count = calloc((size_t)n, sizeof *count);
  double total = 0, chi = 0, freedom = -1;
  for (int i = 0; i < n; i++) total += weight[i];
  for (int i = 0; i < DRAWS; i++) count[tern_sampler_next(s, logits)]++;
  for (int i = 0; i < n; i++) {
    double expected = DRAWS * weight[i] / total;
    if (weight[i] <= 0) assert_int_equal(count[i], 0);
    if (expected < 5) continue;
    chi += (count[i] - expected) * (count[i] - expected) / expected;
    freedom++;
  }
  free(count);
  /* mean f, deviation sqrt(2f): five deviations are far beyond one in a million for these f */
  assert_true(chi < freedom + 5 * sqrt(2 * freedom) + 8);
}

static void draws_follow_the_softmax_at_each_temperature(void **state) {
  (void)state;
  float logits[200];
  double weight[200];
  fill(logits, 200, 3);
  const float temperatures[] = {0.5f, 1, 2.5f};
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < 200; i++) weight[i] = exp((double)logits[i] / (double)temperatures[k]);
    tern_sampler *s = sampler(200, (tern_sampler_params){.temperature = temperatures[k], .top_p = 1, .seed = 11});
    expect_distribution(s, logits, 200, weight);
    tern_sampler_close(s);
  }
}

static int by_weight(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* The filters said slowly, over fully sorted weights. */
static void filter(double *weight, int n, const tern_sampler_params *p) {
  double *sorted = malloc((size_t)n * sizeof *sorted), all = 0, sum = 0, least = 0;
  memcpy(sorted, weight, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, by_weight);
  int k = p->top_k > 0 && p->top_k < n ? p->top_k : n;
  for (int i = 0; i < k; i++) all += sorted[i];
  for (int i = 0; i < k && (p->top_p >= 1 || sum < (double)p->top_p * all); i++) {
    sum += sorted[i];
    least = sorted[i];
  }
  if (least < (double)p->min_p * sorted[0]) least = (double)p->min_p * sorted[0];
  for (int i = 0; i < n; i++) weight[i] = weight[i] >= least * (1 - 1e-9) ? weight[i] : 0;
  free(sorted);
}

static void filters_keep_what_a_full_sort_keeps(void **state) {
  (void)state;
  enum { VOCAB = 400 };
  static float logits[VOCAB];
  static double weight[VOCAB];
  const tern_sampler_params kinds[] = {{.temperature = 1, .top_k = 1, .top_p = 1, .min_p = 0, .seed = 5},
                                       {.temperature = 1, .top_k = 40, .top_p = 1, .min_p = 0, .seed = 5},
                                       {.temperature = 1, .top_k = 0, .top_p = 0.5f, .min_p = 0, .seed = 5},
                                       {.temperature = 0.7f, .top_k = 0, .top_p = 0.95f, .min_p = 0, .seed = 5},
                                       {.temperature = 1, .top_k = 40, .top_p = 0.8f, .min_p = 0, .seed = 5},
                                       {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0.2f, .seed = 5},
                                       {.temperature = 1.5f, .top_k = 0, .top_p = 1e-6f, .min_p = 0, .seed = 5},
                                       {.temperature = 1, .top_k = 100, .top_p = 0.9f, .min_p = 0.3f, .seed = 5}};
  fill(logits, VOCAB, 17);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    for (int i = 0; i < VOCAB; i++) weight[i] = exp((double)logits[i] / (double)kinds[k].temperature);
    filter(weight, VOCAB, &kinds[k]);
    tern_sampler *s = sampler(VOCAB, kinds[k]);
    expect_distribution(s, logits, VOCAB, weight);
    tern_sampler_close(s);
  }
}

static void a_seed_fixes_every_draw(void **state) {
  (void)state;
  /* Ids drawn when this was written; they must not change with compiler, CPU or library. */
  static const int32_t first[] = {78, 285, 206, 32, 363, 206, 296, 384, 173, 315, 496, 96};
  float logits[500];
  fill(logits, 500, 23);
  tern_sampler_params p = {.temperature = 0.9f, .top_k = 50, .top_p = 0.95f, .min_p = 0.01f, .seed = 42};
  tern_sampler *a = sampler(500, p), *b = sampler(500, p);
  p.seed = 43;
  tern_sampler *other = sampler(500, p);
  int different = 0;
  for (size_t i = 0; i < 200; i++) {
    int32_t id = tern_sampler_next(a, logits);
    if (i < sizeof first / sizeof *first) assert_int_equal(id, first[i]);
    assert_int_equal(id, tern_sampler_next(b, logits));
    different += id != tern_sampler_next(other, logits);
  }
  assert_true(different > 100);
  tern_sampler_close(a);
  tern_sampler_close(b);
  tern_sampler_close(other);
}

/* What lets an engine leave logits out. */
static void logits_out_of_reach_decide_nothing(void **state) {
  (void)state;
  static const tern_sampler_params kinds[] = {{.temperature = 0, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 3},
                                              {.temperature = 0.8f, .top_k = 40, .top_p = 1, .min_p = 0, .seed = 3},
                                              {.temperature = 1, .top_k = 5, .top_p = 0.9f, .min_p = 0, .seed = 3},
                                              {.temperature = 0.7f, .top_k = 0, .top_p = 1, .min_p = 0.05f, .seed = 3},
                                              {.temperature = 1.5f, .top_k = 20, .top_p = 1, .min_p = 0.2f, .seed = 3},
                                              {.temperature = 2, .top_k = 3, .top_p = 0.5f, .min_p = 0.1f, .seed = 3}};
  enum { N = 3000 };
  float all[N], some[N], sorted[N];
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    int k;
    float floor;
    tern_sampler *a = sampler(N, kinds[i]), *b = sampler(N, kinds[i]);
    assert_true(tern_sampler_reach(a, &k, &floor));
    for (uint64_t seed = 0; seed < 50; seed++) {
      fill(all, N, seed);
      memcpy(sorted, all, sizeof all);
      qsort(sorted, N, sizeof *sorted, falling_floats);
      float least = fmaxf(k > 0 ? sorted[k - 1] : -INFINITY, sorted[0] - floor);
      for (int j = 0; j < N; j++) some[j] = all[j] >= least ? all[j] : -INFINITY;
      assert_int_equal(tern_sampler_next(a, all), tern_sampler_next(b, some));
    }
    tern_sampler_close(a);
    tern_sampler_close(b);
  }
  const tern_sampler_params everything[] = {{.temperature = 1, .top_p = 1},
                                            {.temperature = 1, .top_p = 0.9f, .min_p = 0.1f}};
  for (int i = 0; i < 2; i++) {
    int k;
    float floor;
    tern_sampler *s = sampler(N, everything[i]);
    assert_false(tern_sampler_reach(s, &k, &floor));
    tern_sampler_close(s);
  }
}

static void senseless_settings_are_refused(void **state) {
  (void)state;
  const tern_sampler_params wrong[] = {{.temperature = -1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 0},
                                       {.temperature = NAN, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 0},
                                       {.temperature = 1, .top_k = -1, .top_p = 1, .min_p = 0, .seed = 0},
                                       {.temperature = 1, .top_k = 0, .top_p = 0, .min_p = 0, .seed = 0},
                                       {.temperature = 1, .top_k = 0, .top_p = 1.0001f, .min_p = 0, .seed = 0},
                                       {.temperature = 1, .top_k = 0, .top_p = NAN, .min_p = 0, .seed = 0},
                                       {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 1.5f, .seed = 0},
                                       {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = -1, .seed = 0}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    tern_error e = {0};
    tern_sampler *s;
    assert_int_equal(tern_sampler_open(&s, 10, &wrong[i], &e), TERN_USAGE);
    assert_null(s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(greedy_takes_the_lowest_id_of_equals),
      cmocka_unit_test(logits_that_are_not_finite_are_never_drawn),
      cmocka_unit_test(draws_follow_the_softmax_at_each_temperature),
      cmocka_unit_test(filters_keep_what_a_full_sort_keeps),
      cmocka_unit_test(a_seed_fixes_every_draw),
      cmocka_unit_test(logits_out_of_reach_decide_nothing),
      cmocka_unit_test(senseless_settings_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
