/* Fine-tuning: early stopping, adapters merged and beside, a base from a model
 * file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/train/run.h"
#include "tests/train_fixture.h"

static tern_run_result run(folder *f, const char *config, const char *to, int stop, bool resume) {
  char path[700], into[700];
  tern_run_result r;
  tern_error e = {0};
  snprintf(path, sizeof path, "%s", folder_path(f, config));
  snprintf(into, sizeof into, "%s", folder_path(f, to));
  const tern_run_params p = {
      .config = path, .folder = into, .resume = resume, .stop = stop, .threads = 2, .cap = TERN_ISA_COUNT};
  if (tern_train_run(&p, &r, &e) != TERN_OK) fail_msg("%s", e.text);
  return r;
}

static void load(tern_trainer *t, folder *f, const char *name) {
  tern_error e = {0};
  if (tern_trainer_load(t, folder_path(f, name), 2, TERN_ISA_COUNT, false, &e) != TERN_OK) fail_msg("%s", e.text);
}

/* Weighted mean over held.jsonl. */
static double held_loss(folder *f, tern_trainer *t) {
  tern_dataset d;
  tern_train_score s;
  tern_error e = {0};
  tern_train_files files = {.count = 1, .at = {{.repeat = 1}}};
  snprintf(files.at[0].path, sizeof files.at[0].path, "%.500s", folder_path(f, "held.jsonl"));
  if (tern_dataset_read(&d, &t->config, &files, t->tokenizer, &e) != TERN_OK ||
      tern_trainer_score(t, &d, -1, &s, &e) != TERN_OK)
    fail_msg("%s", e.text);
  tern_dataset_close(&d);
  return s.loss / s.weight;
}

static int setup(void **state) {
  static folder f;
  f = fixture_open();
  *state = &f;
  run(&f, "ternary.json", "base", 0, false);
  return 0;
}

static int teardown(void **state) {
  fixture_close(*state);
  return 0;
}

#define BASE ", \"from\": \"base/checkpoint.tern\""
#define LORA BASE ", \"lora\": {\"rank\": 4, \"alpha\": 16}"

static bool same_files(folder *f, const char *a, const char *b) {
  size_t n, m;
  char *x = fixture_read(f, a, &n), *y = fixture_read(f, b, &m);
  const bool same = n == m && memcmp(x, y, n) == 0;
  free(x), free(y);
  return same;
}

/* What is learnt contradicts what is evaluated: at some step it must get worse, and stay so. */
static void early_stop_keeps_the_best(void **state) {
  folder *f = *state;
  fixture_text(f, "wrong.jsonl", "{\"prompt\": \"1 plus 2 is \", \"completion\": \"99999999\"}\n");
  fixture_config(f, "stop.json",
                 &(fixture_change){.top = BASE,
                                   .files = "\"train\": \"wrong.jsonl\", \"eval\": \"held.jsonl\"",
                                   .train = ", \"eval_every\": 1, \"patience\": 3"});
  const tern_run_result r = run(f, "stop.json", "stop", 0, false);
  assert_true(r.stopped && r.steps < 12);
  assert_int_equal(r.steps, r.watch.best_step + 3);
  assert_true(r.held > r.watch.best && r.watch.best > r.watch.base);
  tern_trainer t;
  load(&t, f, "base/checkpoint.tern");
  assert_true(held_loss(f, &t) == r.watch.base);
  tern_trainer_close(&t);
  load(&t, f, "stop/best.tern");
  assert_int_equal(t.step, r.watch.best_step);
  assert_true(held_loss(f, &t) == r.watch.best);
  tern_trainer_close(&t);
  run(f, "stop.json", "stop-parts", 1, false);
  run(f, "stop.json", "stop-parts", 3, true);
  const tern_run_result parts = run(f, "stop.json", "stop-parts", 0, true),
                        again = run(f, "stop.json", "stop-parts", 0, true);
  assert_true(parts.stopped && again.stopped && again.steps == r.steps && again.first == r.steps);
  assert_true(same_files(f, "stop/checkpoint.tern", "stop-parts/checkpoint.tern"));
  assert_true(same_files(f, "stop/best.tern", "stop-parts/best.tern"));
}

/* A better evaluation starts the wait anew: a run that keeps learning goes to its end. */
static void learning_run_is_not_stopped(void **state) {
  folder *f = *state;
  fixture_config(f, "go.json", &(fixture_change){.top = LORA, .train = ", \"eval_every\": 2, \"patience\": 3"});
  const tern_run_result r = run(f, "go.json", "go", 0, false);
  assert_true(!r.stopped && r.steps == 12);
  assert_true(r.watch.best < r.watch.base);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(early_stop_keeps_the_best),
      cmocka_unit_test(learning_run_is_not_stopped),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
