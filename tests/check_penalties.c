/* Biases and penalties: the written formulas over the window, and that logits
 * out of reach still decide nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/random.h"
#include "engine/text/sampler.h"

enum { N = 700, TEXT = 150 };

static uint64_t drawn;

static int random_to(int most) {
  return (int)(tern_random_at(9, 1, drawn++) % (uint64_t)(most + 1));
}

static float random_real(float low, float high) {
  return low + (high - low) * (float)tern_random_unit(tern_random_at(9, 1, drawn++));
}

static void fill(float *logits) {
  for (int i = 0; i < N; i++) logits[i] = random_real(-6, 6);
}

static tern_sampler *sampler(tern_sampler_params p) {
  tern_error e = {0};
  tern_sampler *s;
  if (tern_sampler_open(&s, N, &p, &e) != TERN_OK) fail_msg("%s", e.text);
  return s;
}

/* The definition, slowly: counts over the last `window` ids of the text. */
static void adjust(float *logits, const tern_sampler_params *p, const int32_t *text, int n) {
  int window = p->window == 0 ? 64 : p->window;
  int first = window < 0 || n < window ? 0 : n - window;
  for (int i = 0; i < p->bias_count; i++) logits[p->biases[i].id] += p->biases[i].add;
  for (int id = 0; id < N; id++) {
    int count = 0;
    for (int i = first; i < n; i++) count += text[i] == id;
    if (count == 0) continue;
    if (p->repeat > 0) logits[id] = logits[id] > 0 ? logits[id] / p->repeat : logits[id] * p->repeat;
    logits[id] -= (float)count * p->frequency + p->presence;
  }
}

static const tern_bias biases[] = {{3, 2.5f}, {10, -INFINITY}, {11, -1}, {690, 4}};
static const tern_bias bans[] = {{0, -INFINITY}, {17, -3}, {400, -INFINITY}, {699, -0.5f}};

static void choices_follow_the_written_formulas(void **state) {
  (void)state;
  const tern_sampler_params kinds[] = {{.top_p = 1, .repeat = 1.3f},
                                       {.top_p = 1, .repeat = 0.7f, .window = 5},
                                       {.top_p = 1, .frequency = 0.4f, .window = -1},
                                       {.top_p = 1, .presence = 1.5f, .window = 1},
                                       {.top_p = 1, .biases = biases, .bias_count = 4},
                                       {.top_p = 1,
                                        .repeat = 1.1f,
                                        .frequency = -0.2f,
                                        .presence = 0.5f,
                                        .window = 33,
                                        .biases = bans,
                                        .bias_count = 4}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    tern_sampler *s = sampler(kinds[k]);
    int32_t text[TEXT];
    float logits[N], want[N];
    for (int n = 0; n < TEXT; n++) {
      fill(logits);
      memcpy(want, logits, sizeof want);
      adjust(want, &kinds[k], text, n);
      text[n] = tern_sampler_next(s, logits);
      assert_memory_equal(logits, want, sizeof want);
      assert_int_equal(text[n], tern_argmax(want, N));
      if (random_to(2)) text[n] = random_to(12); /* repeats, as texts have */
      tern_sampler_accept(s, text[n]);
    }
    tern_sampler_close(s);
  }
}

static int falling(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x < y) - (x > y);
}

static tern_sampler_params random_kind(void) {
  tern_sampler_params p = {.temperature = random_to(3) ? random_real(0.1f, 2) : 0, .top_p = 1, .seed = drawn};
  if (random_to(2)) p.top_k = 1 + random_to(60);
  if (p.top_k && random_to(1)) p.top_p = random_real(0.1f, 1);
  if (random_to(1)) p.min_p = random_real(0, 0.5f);
  if (random_to(1)) p.repeat = random_real(1, 2);
  if (random_to(1)) p.frequency = random_real(0, 1);
  if (random_to(1)) p.presence = random_real(0, 1);
  if (random_to(1)) p.window = random_to(100) - 1;
  if (random_to(1)) {
    p.biases = bans;
    p.bias_count = random_to(4);
  }
  return p;
}

static void logits_out_of_reach_decide_nothing_under_penalties(void **state) {
  (void)state;
  int left_out = 0;
  for (int round = 0; round < 400; round++) {
    tern_sampler_params p = random_kind();
    tern_sampler *a = sampler(p), *b = sampler(p);
    for (int n = 0; n < 30; n++) {
      float all[N], some[N], sorted[N], floor;
      int k;
      fill(all);
      memcpy(some, all, sizeof some);
      if (tern_sampler_reach(a, &k, &floor)) {
        memcpy(sorted, all, sizeof all);
        qsort(sorted, N, sizeof *sorted, falling);
        float least = fmaxf(k > 0 && k < N ? sorted[k - 1] : -INFINITY, sorted[0] - floor);
        for (int i = 0; i < N; i++) {
          left_out += all[i] < least;
          if (all[i] < least) some[i] = -INFINITY;
        }
      }
      int32_t id = tern_sampler_next(a, all);
      assert_int_equal(tern_sampler_next(b, some), id);
      if (random_to(1)) id = random_to(N - 1);
      tern_sampler_accept(a, id);
      tern_sampler_accept(b, id);
    }
    tern_sampler_close(a);
    tern_sampler_close(b);
  }
  assert_true(left_out > 100000);
}

/* A logit that may rise from anywhere must be known. */
static void raising_settings_ask_for_every_logit(void **state) {
  (void)state;
  const tern_sampler_params kinds[] = {{.top_p = 1, .biases = biases, .bias_count = 1},
                                       {.top_p = 1, .repeat = 0.9f},
                                       {.top_p = 1, .frequency = -0.1f},
                                       {.temperature = 1, .top_k = 5, .top_p = 1, .presence = -0.1f}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    tern_sampler *s = sampler(kinds[i]);
    int k;
    float floor;
    assert_false(tern_sampler_greedy(&kinds[i]));
    assert_false(tern_sampler_reach(s, &k, &floor));
    tern_sampler_close(s);
  }
  assert_true(tern_sampler_greedy(&(tern_sampler_params){.top_p = 1, .repeat = 1, .top_k = 7}));
  assert_false(tern_sampler_greedy(&(tern_sampler_params){.top_p = 1, .temperature = 0.1f}));
}

static void senseless_settings_are_refused(void **state) {
  (void)state;
  static const tern_bias outside[] = {{N, 1}}, negative[] = {{-1, 1}}, infinite[] = {{1, INFINITY}},
                         none[] = {{1, NAN}};
  const tern_sampler_params wrong[] = {{.top_p = 1, .repeat = -1},
                                       {.top_p = 1, .repeat = NAN},
                                       {.top_p = 1, .frequency = INFINITY},
                                       {.top_p = 1, .presence = NAN},
                                       {.top_p = 1, .biases = outside, .bias_count = 1},
                                       {.top_p = 1, .biases = negative, .bias_count = 1},
                                       {.top_p = 1, .biases = infinite, .bias_count = 1},
                                       {.top_p = 1, .biases = none, .bias_count = 1}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    tern_error e = {0};
    tern_sampler *s;
    assert_int_equal(tern_sampler_open(&s, N, &wrong[i], &e), TERN_USAGE);
    assert_null(s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(choices_follow_the_written_formulas),
      cmocka_unit_test(logits_out_of_reach_decide_nothing_under_penalties),
      cmocka_unit_test(raising_settings_ask_for_every_logit),
      cmocka_unit_test(senseless_settings_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
