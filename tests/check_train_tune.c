/* Fine-tuning: early stopping, adapters merged and beside, a base from a model
 * file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/train/adapter_file.h"
#include "engine/train/export.h"
#include "engine/train/merge.h"
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

static void expect_gone(int rc, const tern_error *e, const char *part) {
  if (rc != TERN_FAILED || !strstr(e->text, part)) fail_msg("%d, \"%s\", want \"%s\"", rc, e->text, part);
}

static void adapters_beside_their_base_are_the_tuned_model(void **state) {
  folder *f = *state;
  tern_trainer t, u;
  tern_error e = {0};
  char beside[700];
  fixture_config(f, "lora.json", &(fixture_change){.top = LORA});
  run(f, "lora.json", "lora", 0, false);
  load(&t, f, "lora/checkpoint.tern");
  snprintf(beside, sizeof beside, "%s", folder_path(f, "lora.gguf"));
  if (tern_adapters_write(&t, beside, &e) != TERN_OK) fail_msg("%s", e.text);
  if (tern_trainer_load_adapted(&u, folder_path(f, "base/checkpoint.tern"), beside, 1, TERN_ISA_COUNT, &e) != TERN_OK)
    fail_msg("%s", e.text);
  assert_true(held_loss(f, &u) == held_loss(f, &t));
  tern_trainer_close(&u);
  expect_gone(tern_trainer_load_adapted(&u, folder_path(f, "lora/checkpoint.tern"), beside, 1, TERN_ISA_COUNT, &e), &e,
              "has adapters of its own");
  run(f, "ternary.json", "other", 11, false);
  expect_gone(tern_trainer_load_adapted(&u, folder_path(f, "other/checkpoint.tern"), beside, 1, TERN_ISA_COUNT, &e), &e,
              "made for another base");
  snprintf(beside, sizeof beside, "%s", folder_path(f, "tokenizer.gguf"));
  expect_gone(tern_trainer_load_adapted(&u, folder_path(f, "base/checkpoint.tern"), beside, 1, TERN_ISA_COUNT, &e), &e,
              "not a file of LoRA adapters");
  tern_trainer_close(&t);
}

/* Of the arena without adapters: what a float file of the ternary model holds is base + scale B A. */
static void adapters_merge_into_floats_and_codes(void **state) {
  folder *f = *state;
  tern_trainer t, u;
  tern_error e = {0};
  tern_train_merged m;
  fixture_config(f, "strong.json",
                 &(fixture_change){.top = BASE ", \"lora\": {\"rank\": 8, \"alpha\": 64, \"targets\": [\"attn_q\", "
                                               "\"ffn_up\"]}"});
  run(f, "strong.json", "strong", 0, false);
  load(&t, f, "strong/checkpoint.tern");
  const double beside = held_loss(f, &t);
  if (tern_train_export(&t, folder_path(f, "merged.gguf"), tern_dtype_by_name("f32"), NULL, &e)) fail_msg("%s", e.text);
  tern_gguf *g;
  assert_int_equal(tern_gguf_open(&g, folder_path(f, "merged.gguf"), &e), 0);
  const tern_param *q = &t.net.params[t.net.layer[1].linear[TERN_TRAIN_QKV].first], *a = &t.net.params[q->adapter];
  const float *file = (const float *)(const void *)tern_gguf_tensor_find(g, q->name)->data;
  atomic_int next = 0;
  tern_net_prepare(&t.net, &next);
  for (int i = 0; i < q->rows * q->cols; i += 37) {
    double want = (double)t.net.values[q->at + (size_t)i];
    for (int k = 0; k < 8; k++)
      want += 8 * (double)t.net.w[a[1].at + (size_t)(i / q->cols * 8 + k)] *
              (double)t.net.w[a->at + (size_t)(k * q->cols + i % q->cols)];
    assert_true(fabs((double)file[i] - want) < 1e-5);
  }
  tern_gguf_close(g);
  if (tern_train_merge(&t, &m, &e)) fail_msg("%s", e.text);
  assert_true(m.changed > 0 && m.changed < m.codes && m.lost > 0);
  assert_int_equal(m.codes, 2 * (64 * 64 + 64 * 128));
  const double merged = held_loss(f, &t);
  assert_true(merged != beside);
  if (tern_train_export(&t, folder_path(f, "merged.gguf"), tern_dtype_by_name("q2_0"), tern_dtype_by_name("f32"), &e))
    fail_msg("%s", e.text);
  fixture_config(f, "again.json", &(fixture_change){.top = ", \"from\": \"merged.gguf\""});
  fixture_trainer(&u, f, "again.json", 1, TERN_ISA_COUNT); /* codes and scales come back whole */
  assert_true(held_loss(f, &u) == merged);
  tern_trainer_close(&t);
  tern_trainer_close(&u);
}

static void base_comes_from_a_model_file(void **state) {
  folder *f = *state;
  tern_trainer t, u;
  tern_error e = {0};
  load(&t, f, "base/checkpoint.tern");
  if (tern_train_export(&t, folder_path(f, "base.gguf"), tern_dtype_by_name("q2_0"), NULL, &e)) fail_msg("%s", e.text);
  fixture_config(f, "model.json", &(fixture_change){.top = ", \"from\": \"base.gguf\", \"lora\": {\"rank\": 2}"});
  fixture_trainer(&u, f, "model.json", 1, TERN_ISA_COUNT);
  assert_true(held_loss(f, &u) == held_loss(f, &t));
  for (int i = 0; i < t.net.layers * TERN_TRAIN_LINEARS; i++) {
    const tern_train_linear *a = &t.net.layer[i / TERN_TRAIN_LINEARS].linear[i % TERN_TRAIN_LINEARS],
                            *b = &u.net.layer[i / TERN_TRAIN_LINEARS].linear[i % TERN_TRAIN_LINEARS];
    assert_memory_equal(a->codes, b->codes, (size_t)a->rows * (size_t)a->cols);
    assert_memory_equal(a->scale, b->scale, (size_t)a->rows * sizeof(float));
  }
  tern_trainer_close(&t);
  tern_trainer_close(&u);
  static const struct {
    fixture_change change;
    const char *want;
  } cases[] = {
      {{.top = ", \"from\": \"base.gguf\"", .model = ", \"arch\": \"bitnet\""}, "general.architecture: not the"},
      {{.top = ", \"from\": \"base.gguf\"", .model = ", \"rope_theta\": 500"}, "rope.freq_base: 10000, the conf"},
      {{.top = ", \"from\": \"base.gguf\"",
        .shape = "\"layers\": 2, \"hidden\": 64, \"ffn\": 64, \"heads\": 4, \"kv_heads\": 2, \"context\": 64"},
       "ffn_gate.weight: of another shape"},
      {{.top = ", \"from\": \"nothing.gguf\""}, "nothing.gguf"},
      {{.top = ", \"from\": \"tokenizer.gguf\""}, "general.architecture"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_train_config c;
    fixture_config(f, "bad.json", &cases[i].change);
    assert_int_equal(tern_train_config_read(&c, folder_path(f, "bad.json"), &e), 0);
    expect_gone(tern_trainer_open(&t, &c, 1, TERN_ISA_COUNT, &e), &e, cases[i].want);
    tern_train_config_close(&c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(early_stop_keeps_the_best),
      cmocka_unit_test(learning_run_is_not_stopped),
      cmocka_unit_test(adapters_beside_their_base_are_the_tuned_model),
      cmocka_unit_test(adapters_merge_into_floats_and_codes),
      cmocka_unit_test(base_comes_from_a_model_file),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
