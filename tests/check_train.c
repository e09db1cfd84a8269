/* The model in training: every parameter's gradient against finite differences
 * of a reference, known losses, and results that no thread count, instruction
 * set or interruption changes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/random.h"
#include "engine/train/run.h"
#include "tests/train_fixture.h"
#include "tests/train_reference.h"

static int setup(void **state) {
  static folder f;
  f = fixture_open();
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture_close(*state);
  return 0;
}

/* Makes the gains differ from 1, so that their place in the formula shows; and B from 0. */
static void stir(tern_net *n) {
  for (int p = 0; p < n->param_count; p++) {
    const tern_param *q = &n->params[p];
    for (size_t i = 0; q->part == 'b' && i < (size_t)q->rows * (size_t)q->cols; i++)
      n->w[q->at + i] = (float)(0.2 * tern_random_unit(tern_random_at(7, (uint64_t)p, i)) - 0.1);
    if (q->part) continue;
    for (int i = 0; n->params[p].rows == 1 && i < n->params[p].cols; i++)
      n->w[n->params[p].at + (size_t)i] =
          (float)(0.7 + 0.6 * tern_random_unit(tern_random_at(5, (uint64_t)p, (uint64_t)i)));
  }
}

/* Some elements of every parameter: those whose gradient is largest among a few, and any. */
static void expect_gradients(const tern_net *n, reference *r, const float *grads) {
  enum { PICKS = 3 };
  const double step = 1e-5;
  for (int p = 0; p < n->param_count; p++) {
    if (!tern_param_learns(n, p)) continue;
    const tern_param *q = &n->params[p];
    const size_t size = (size_t)q->rows * (size_t)q->cols;
    double most = 0;
    for (size_t i = 0; i < size; i++) most = fmax(most, fabs((double)grads[q->at + i]));
    assert_true(most > 0);
    for (uint64_t k = 0; k < PICKS; k++) {
      size_t at = tern_random_at(6, (uint64_t)p, k) % size;
      for (size_t i = 0; k == 0 && i < size; i++) at = fabs((double)grads[q->at + i]) == most ? i : at;
      double *w = &r->weights[q->at + at], own = *w;
      *w = own + step;
      const double high = reference_loss(r);
      *w = own - step;
      const double slope = (high - reference_loss(r)) / (2 * step), found = (double)grads[q->at + at];
      *w = own;
      if (fabs(slope - found) > 2e-3 * most + 1e-7)
        fail_msg("%s, element %zu: %.9g, want %.9g (largest %.3g)", q->name, at, found, slope, most);
    }
  }
}

#define BASE ", \"from\": \"base/checkpoint.tern\""
#define BATCH "\"batch_tokens\": 72, \"slices\": 1"

static void check_gradients(folder *f, const fixture_change *change) {
  tern_trainer t;
  tern_error e = {0};
  reference r;
  atomic_int next = 0;
  fixture_config(f, "gradient.json", change);
  fixture_trainer(&t, f, "gradient.json", 1, TERN_ISA_COUNT);
  stir(&t.net);
  assert_int_equal(tern_batch_next(&t.batch, &t.data, &t.order, &t.cursor, 4, t.config.batch_tokens, &e), 0);
  tern_net_prepare(&t.net, &next);
  tern_train_pass p = {.n = &t.net, .s = &t.batch.slices[0], .grads = t.grads[0]};
  assert_true(p.s->documents > 1);
  tern_pass_run(&p, t.desks[0]);
  reference_open(&r, &t.net, p.s);
  assert_true(fabs(reference_loss(&r) - p.loss) < 1e-5);
  expect_gradients(&t.net, &r, t.grads[0]);
  reference_close(&r);
  tern_trainer_close(&t);
}

static void gradients_of_the_ternary_model_go_straight_through(void **state) {
  check_gradients(*state, &(fixture_change){.batch = BATCH});
}
static void gradients_of_the_twin_are_slopes(void **state) {
  check_gradients(*state, &(fixture_change){.batch = BATCH, .model = ", \"weights\": \"f32\""});
}
static void gradients_hold_for_silu(void **state) {
  check_gradients(*state, &(fixture_change){.batch = BATCH, .model = ", \"weights\": \"f16\", \"arch\": \"bitnet\""});
}

/* Longer than the queries that attention goes back over at once. */
static void gradients_hold_for_long_documents(void **state) {
  char text[800] = "{\"completion\": \"";
  for (int i = 0; i < 150; i++) strcat(text, i % 7 ? "3 " : "85");
  strcat(text, "\"}\n{\"completion\": \"7\"}\n");
  fixture_text(*state, "long.jsonl", text);
  check_gradients(*state, &(fixture_change){.batch = "\"batch_tokens\": 200, \"slices\": 1",
                                            .files = "\"train\": \"long.jsonl\"",
                                            .shape = "\"layers\": 1, \"hidden\": 32, \"ffn\": 32, \"heads\": 2, "
                                                     "\"kv_heads\": 1, \"context\": 180"});
}

/* A base to adapt: base/checkpoint.tern. */
static void make_base(folder *f) {
  if (access(folder_path(f, "base"), F_OK) == 0) return;
  char config[700], to[700];
  tern_run_result r;
  tern_error e = {0};
  snprintf(config, sizeof config, "%s", folder_path(f, "ternary.json"));
  snprintf(to, sizeof to, "%s", folder_path(f, "base"));
  const tern_run_params p = {.config = config, .folder = to, .threads = 2, .cap = TERN_ISA_COUNT};
  if (tern_train_run(&p, &r, &e) != TERN_OK) fail_msg("%s", e.text);
}

static void gradients_of_adapters_are_slopes(void **state) {
  static const fixture_change ways[] = {
      {.batch = BATCH, .top = BASE ", \"lora\": {\"rank\": 3, \"alpha\": 5}"},
      {.batch = BATCH, .top = BASE ", \"lora\": {\"rank\": 1, \"targets\": [\"attn_v\", \"ffn_down\"]}"},
      {.batch = BATCH,
       .top = BASE ", \"lora\": {\"rank\": 18, \"targets\": [\"attn_k\", \"attn_output\", \"ffn_up\"]}",
       .model = ", \"weights\": \"f32\", \"arch\": \"bitnet\""},
  };
  make_base(*state);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) check_gradients(*state, &ways[i]);
}

static void steps_of(folder *f, const char *config, int threads, tern_isa cap, int steps, double *losses, char *weights,
                     size_t size) {
  tern_trainer t;
  tern_error e = {0};
  fixture_trainer(&t, f, config, threads, cap);
  for (int i = 0; i < steps; i++) {
    tern_train_step s;
    if (tern_trainer_step(&t, &s, &e) != TERN_OK) fail_msg("%s", e.text);
    losses[i] = s.loss;
  }
  assert_true(size <= t.net.size * sizeof(float));
  memcpy(weights, t.net.w, size);
  tern_trainer_close(&t);
}

static void first_ten_losses_are_known(void **state) {
  static const double want[10] = {6.1100748084584442, 5.2642472198694872, 4.5913493734477218, 3.9229461036417241,
                                  3.2454573360743195, 2.6966277465107815, 2.319256704718375,  1.9666855420385487,
                                  2.0201318290301566, 1.5950455377164845};
  double found[10];
  char weights[4];
  steps_of(*state, "ternary.json", 2, TERN_ISA_COUNT, 10, found, weights, sizeof weights);
  for (int i = 0; i < 10; i++) {
    if (found[i] != want[i]) fail_msg("step %d: %.17g, want %.17g", i + 1, found[i], want[i]);
  }
}

static void expect_same_bits(folder *f, const char *config) {
  static const struct {
    int threads;
    tern_isa cap;
  } ways[] = {{1, TERN_ISA_COUNT}, {2, TERN_ISA_COUNT}, {5, TERN_ISA_AVX2}, {2, TERN_ISA_SCALAR}};
  enum { STEPS = 4, BYTES = 200000 };
  static char want[BYTES], found[BYTES];
  double first[STEPS], other[STEPS];
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    steps_of(f, config, ways[i].threads, ways[i].cap, STEPS, i ? other : first, i ? found : want, BYTES);
    if (i == 0) continue;
    assert_memory_equal(other, first, sizeof first);
    assert_memory_equal(found, want, BYTES);
  }
}

static void threads_and_instruction_sets_change_no_bit(void **state) {
  fixture_config(*state, "dropout.json", &(fixture_change){.train = ", \"dropout\": 0.1"});
  expect_same_bits(*state, "dropout.json");
  make_base(*state);
  fixture_config(*state, "adapted.json", &(fixture_change){.top = BASE ", \"lora\": {\"rank\": 5, \"alpha\": 30}"});
  expect_same_bits(*state, "adapted.json"); /* the base stays in any case: the losses tell */
}

/* Returns the mean loss that the run tells. */
static double run_with(folder *f, const char *with, const char *name, int stop, bool resume, int threads) {
  char config[700], to[700];
  tern_run_result r;
  tern_error e = {0};
  snprintf(config, sizeof config, "%s", folder_path(f, with));
  snprintf(to, sizeof to, "%s", folder_path(f, name));
  const tern_run_params p = {
      .config = config, .folder = to, .resume = resume, .stop = stop, .threads = threads, .cap = TERN_ISA_COUNT};
  if (tern_train_run(&p, &r, &e) != TERN_OK) fail_msg("%s", e.text);
  assert_int_equal(r.steps, stop ? stop : 12);
  return r.loss;
}

static double run_to(folder *f, const char *name, int stop, bool resume, int threads) {
  return run_with(f, "ternary.json", name, stop, resume, threads);
}

/* The log's columns but for the seconds. */
static void expect_same_log(folder *f, const char *a, const char *b) {
  size_t size;
  char *x = fixture_read(f, a, &size), *y = fixture_read(f, b, &size), *p = x, *q = y;
  int rows = 0;
  for (char *s = strsep(&p, "\n"), *t = strsep(&q, "\n"); s && t; s = strsep(&p, "\n"), t = strsep(&q, "\n"), rows++) {
    const char *field;
    for (int i = 0; (field = strsep(&s, ",")); i++) {
      const char *other = strsep(&t, ",");
      assert_non_null(other);
      if (i != 1 && i != 2) assert_string_equal(field, other);
    }
  }
  assert_int_equal(rows, 14);
  free(x), free(y);
}

static void resumed_run_is_byte_identical(void **state) {
  folder *f = *state;
  size_t n, m;
  run_to(f, "whole", 0, false, 2);
  const double first = run_to(f, "parts", 1, false, 1);
  assert_true(fabs(first - 6.1100748084584442) < 1e-12); /* as in first_ten_losses_are_known */
  run_to(f, "parts", 5, true, 1);
  run_to(f, "parts", 8, true, 2);
  run_to(f, "parts", 0, true, 1);
  char *a = fixture_read(f, "whole/checkpoint.tern", &n), *b = fixture_read(f, "parts/checkpoint.tern", &m);
  assert_int_equal(n, m);
  assert_memory_equal(a, b, n);
  free(a), free(b);
  expect_same_log(f, "whole/log.csv", "parts/log.csv");
}

static void expect_same_file(folder *f, const char *x, const char *y) {
  size_t n, m;
  char *a = fixture_read(f, x, &n), *b = fixture_read(f, y, &m);
  assert_int_equal(n, m);
  assert_memory_equal(a, b, n);
  free(a), free(b);
}

/* Codes, scales, gains and embedding stay as the base has them, and the run resumes exactly. */
static void adapters_learn_beside_a_base_that_stays(void **state) {
  folder *f = *state;
  tern_trainer base, t;
  tern_error e = {0};
  make_base(f);
  fixture_config(f, "lora.json",
                 &(fixture_change){.top = BASE ", \"lora\": {\"rank\": 4}", .train = ", \"dropout\": 0.1"});
  run_with(f, "lora.json", "lora", 0, false, 2);
  run_with(f, "lora.json", "lora-parts", 3, false, 1);
  run_with(f, "lora.json", "lora-parts", 7, true, 2);
  run_with(f, "lora.json", "lora-parts", 0, true, 1);
  expect_same_file(f, "lora/checkpoint.tern", "lora-parts/checkpoint.tern");
  expect_same_log(f, "lora/log.csv", "lora-parts/log.csv");
  assert_int_equal(tern_trainer_load(&base, folder_path(f, "base/checkpoint.tern"), 1, TERN_ISA_COUNT, false, &e), 0);
  assert_int_equal(tern_trainer_load(&t, folder_path(f, "lora/checkpoint.tern"), 1, TERN_ISA_COUNT, false, &e), 0);
  atomic_int next = 0, other = 0;
  tern_net_prepare(&base.net, &next);
  tern_net_prepare(&t.net, &other);
  assert_int_equal(t.net.base_size, base.net.size);
  assert_memory_equal(t.net.w, base.net.w, base.net.size * sizeof(float));
  for (int i = 0; i < t.net.layers * TERN_TRAIN_LINEARS; i++) {
    const tern_train_linear *a = &base.net.layer[i / TERN_TRAIN_LINEARS].linear[i % TERN_TRAIN_LINEARS],
                            *b = &t.net.layer[i / TERN_TRAIN_LINEARS].linear[i % TERN_TRAIN_LINEARS];
    assert_memory_equal(a->codes, b->codes, (size_t)a->rows * (size_t)a->cols);
    assert_memory_equal(a->scale, b->scale, (size_t)a->rows * sizeof(float));
  }
  for (int i = t.net.base_count; i < t.net.param_count; i++) assert_true(t.net.w[t.net.params[i].at] != 0);
  tern_trainer_close(&base);
  tern_trainer_close(&t);
}

static void training_starts_from_a_checkpoint(void **state) {
  folder *f = *state;
  tern_trainer t, u;
  tern_error e = {0};
  if (access(folder_path(f, "whole"), F_OK) != 0) run_to(f, "whole", 0, false, 2);
  assert_int_equal(tern_trainer_load(&t, folder_path(f, "whole/checkpoint.tern"), 1, TERN_ISA_COUNT, false, &e), 0);
  fixture_config(f, "tune.json",
                 &(fixture_change){.top = ", \"from\": \"whole/checkpoint.tern\"", .train = ", \"seed\": 9"});
  fixture_trainer(&u, f, "tune.json", 1, TERN_ISA_COUNT);
  assert_int_equal(u.step, 0);
  assert_memory_equal(t.net.w, u.net.w, t.net.size * sizeof(float));
  assert_true(u.m[0] == 0 && u.v[0] == 0);
  tern_trainer_close(&t);
  tern_trainer_close(&u);
}

static void loss_falls(void **state) {
  folder *f = *state;
  size_t n;
  if (access(folder_path(f, "whole"), F_OK) != 0) run_to(f, "whole", 0, false, 2);
  char *log = fixture_read(f, "whole/log.csv", &n), *last = strstr(log, "\n12,"), *first = strstr(log, "\n1,");
  double from, to, held;
  assert_true(last && first);
  assert_int_equal(sscanf(first, "\n1,%*f,%*f,%*f,%lf", &from), 1);
  assert_int_equal(sscanf(last, "\n12,%*f,%*f,%*f,%lf,%*f,%lf", &to, &held), 2);
  assert_true(to < from - 0.5 && held < from - 0.5);
  free(log);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_of_the_ternary_model_go_straight_through),
      cmocka_unit_test(gradients_of_the_twin_are_slopes),
      cmocka_unit_test(gradients_hold_for_silu),
      cmocka_unit_test(gradients_hold_for_long_documents),
      cmocka_unit_test(gradients_of_adapters_are_slopes),
      cmocka_unit_test(first_ten_losses_are_known),
      cmocka_unit_test(threads_and_instruction_sets_change_no_bit),
      cmocka_unit_test(resumed_run_is_byte_identical),
      cmocka_unit_test(adapters_learn_beside_a_base_that_stays),
      cmocka_unit_test(training_starts_from_a_checkpoint),
      cmocka_unit_test(loss_falls),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
