/* What was trained is what the engine runs: the loss of the exported file, in
 * every type that can hold it, is the training forward pass's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/model/model.h"
#include "engine/train/export.h"
#include "tests/train_fixture.h"

/* 256 columns everywhere: every type's blocks fit. */
static const char shape[] =
    "\"layers\": 2, \"hidden\": 256, \"ffn\": 512, \"heads\": 4, \"kv_heads\": 2, \"context\": 64";

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

static void train(tern_trainer *t, folder *f, const char *model) {
  tern_error e = {0};
  fixture_config(f, "export.json", &(fixture_change){.model = model, .shape = shape});
  fixture_trainer(t, f, "export.json", 2, TERN_ISA_COUNT);
  for (int i = 0; i < 6; i++) {
    tern_train_step s;
    if (tern_trainer_step(t, &s, &e) != TERN_OK) fail_msg("%s", e.text);
  }
}

static double entropy(const float *logits, int n, int target) {
  double most = -INFINITY, sum = 0;
  for (int i = 0; i < n; i++) most = fmax(most, (double)logits[i]);
  for (int i = 0; i < n; i++) sum += exp((double)logits[i] - most);
  return log(sum) + most - (double)logits[target];
}

/* Layout t2: Q2_0's own gives blocks of activations scales of their own, another
 * rounding than training's. Weighted mean over the documents, by the inference engine. */
static double engine_loss(const char *path, const char *layout, const tern_dataset *d) {
  tern_gguf *g;
  tern_team *team;
  tern_model *m;
  tern_session *s;
  tern_error e = {0};
  if (tern_gguf_open(&g, path, &e) || tern_team_open(&team, 2, NULL, &e) ||
      tern_model_load(&m, g, &(tern_model_params){.layout = layout, .isa_cap = TERN_ISA_COUNT}, team, &e) ||
      tern_session_open(&s, m, team, &(tern_session_params){.context = 64, .kv = TERN_KV_F32}, &e))
    fail_msg("%s", e.text);
  const int vocab = tern_model_describe(m)->vocab;
  float *logits = malloc(64 * (size_t)vocab * sizeof *logits);
  double loss = 0, weight = 0;
  assert_non_null(logits);
  for (size_t i = 0; i < d->documents; i++) {
    const size_t at = d->at[i];
    const int n = (int)(d->at[i + 1] - at);
    if (tern_session_eval(s, d->tokens + at, n, TERN_WANT_ALL, logits, &e)) fail_msg("%s", e.text);
    tern_session_rewind(s, 0);
    for (int t = 1; t < n; t++) {
      const double w = (double)d->weights[at + (size_t)t];
      loss += w * entropy(logits + (size_t)(t - 1) * (size_t)vocab, vocab, d->tokens[at + (size_t)t]);
      weight += w;
    }
  }
  free(logits);
  tern_session_close(s);
  tern_model_close(m);
  tern_team_close(team);
  tern_gguf_close(g);
  return loss / weight;
}

static void expect_equal_loss(folder *f, tern_trainer *t, const tern_dtype *type, const char *head) {
  tern_train_score s;
  tern_error e = {0};
  assert_int_equal(tern_trainer_score(t, &t->held, -1, &s, &e), 0);
  if (tern_train_export(t, folder_path(f, "out.gguf"), type, head ? tern_dtype_by_name(head) : NULL, &e))
    fail_msg("%s", e.text);
  const double found = engine_loss(folder_path(f, "out.gguf"), type->ternary ? "t2" : NULL, &t->held),
               want = s.loss / s.weight;
  if (!(fabs(found - want) < 1e-8)) fail_msg("%s: loss %.9g, in training %.9g", type->name, found, want);
}

static void every_ternary_type_has_the_training_loss(void **state) {
  tern_trainer t;
  int types = 0;
  train(&t, *state, NULL);
  for (int i = 0; tern_dtype_at(i); i++) {
    if (!tern_dtype_at(i)->ternary || !tern_dtype_at(i)->put_codes) continue;
    expect_equal_loss(*state, &t, tern_dtype_at(i), types++ % 2 ? "f32" : NULL);
  }
  assert_true(types >= 5);
  tern_trainer_close(&t);
}

static void twin_has_the_training_loss(void **state) {
  tern_trainer t;
  train(&t, *state, ", \"weights\": \"f16\"");
  expect_equal_loss(*state, &t, tern_dtype_by_id(TERN_DISK_F16), NULL);
  tern_trainer_close(&t);
}

static void types_that_cannot_hold_the_model_are_refused(void **state) {
  folder *f = *state;
  tern_trainer t;
  tern_error e = {0};
  fixture_trainer(&t, f, "ternary.json", 1, TERN_ISA_COUNT);
  assert_int_equal(tern_train_export(&t, folder_path(f, "no.gguf"), tern_dtype_by_name("tq2_0"), NULL, &e),
                   TERN_FAILED);
  assert_non_null(strstr(e.text, "blk.0.attn_q.weight has 64 columns, which type TQ2_0 cannot hold"));
  assert_int_equal(access(folder_path(f, "no.gguf"), F_OK), -1);
  tern_trainer_close(&t);
  fixture_config(f, "twin.json", &(fixture_change){.model = ", \"weights\": \"f16\""});
  fixture_trainer(&t, f, "twin.json", 1, TERN_ISA_COUNT);
  assert_int_equal(tern_train_export(&t, folder_path(f, "no.gguf"), tern_dtype_by_name("i2_s"), NULL, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "take f16"));
  tern_trainer_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_ternary_type_has_the_training_loss),
      cmocka_unit_test(twin_has_the_training_loss),
      cmocka_unit_test(types_that_cannot_hold_the_model_are_refused),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
