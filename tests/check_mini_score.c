/* A verdict on a record is what the model's own probabilities say, computed
 * slowly: whole texts, full logits, softmax in double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/format/synth.h"
#include "harness/mini_score.h"
#include "tests/scratch.h"

enum { VOCAB = 512, IDS = 256 };

static char dir[256];
static tern_gguf *gguf;
static tern_team *team;
static tern_model *model;
static tern_tokenizer *tokenizer;
static tern_mini_scorer scorer;

static int make(void **state) {
  (void)state;
  char path[320];
  tern_error e = {0};
  scratch_make(dir, sizeof dir);
  snprintf(path, sizeof path, "%s/tiny.gguf", dir);
  int rc = tern_team_open(&team, 1, NULL, &e);
  if (rc == 0) rc = tern_synth(path, &tern_synth_tiny, &(tern_synth_params){.seed = 3}, team, &e);
  if (rc == 0) rc = tern_gguf_open(&gguf, path, &e);
  if (rc == 0) rc = tern_tokenizer_from_gguf(&tokenizer, gguf, &e);
  if (rc == 0) rc = tern_model_load(&model, gguf, &(tern_model_params){.isa_cap = TERN_ISA_COUNT}, team, &e);
  if (rc == 0) rc = tern_session_open(&scorer.session, model, team, &(tern_session_params){.context = IDS}, &e);
  if (rc) fail_msg("%s", e.text);
  scorer.tokenizer = tokenizer;
  scorer.ids = calloc(IDS, sizeof *scorer.ids);
  return 0;
}

static int clean(void **state) {
  (void)state;
  free(scorer.ids);
  tern_session_close(scorer.session);
  tern_model_close(model);
  tern_tokenizer_close(tokenizer);
  tern_gguf_close(gguf);
  tern_team_close(team);
  scratch_remove(dir);
  return 0;
}

static int append(int32_t *ids, int n, const char *text) {
  int32_t *more;
  size_t count;
  tern_error e = {0};
  if (tern_tokenizer_encode(tokenizer, text, strlen(text), false, &more, &count, &e)) fail_msg("%s", e.text);
  assert_true(n + (int)count <= IDS);
  memcpy(ids + n, more, count * sizeof *more);
  free(more);
  return n + (int)count;
}

/* Log-probability of `text` behind the prompt, from the logits of all positions. */
static double slow(const char *prompt, const char *text) {
  static float logits[IDS][VOCAB];
  int32_t ids[IDS];
  tern_error e = {0};
  tern_session *s;
  int n = 0;
  double sum = 0;
  if (tern_tokenizer_adds_bos(tokenizer)) ids[n++] = tern_tokenizer_bos(tokenizer);
  int from = n = append(ids, n, prompt);
  n = append(ids, n, text);
  assert_int_equal(tern_tokenizer_size(tokenizer), VOCAB);
  if (tern_session_open(&s, model, team, &(tern_session_params){.context = IDS}, &e)) fail_msg("%s", e.text);
  if (tern_session_eval(s, ids, n, TERN_WANT_ALL, &logits[0][0], &e)) fail_msg("%s", e.text);
  tern_session_close(s);
  for (int i = from > 1 ? from : 1; i < n; i++) {
    double all = 0;
    for (int v = 0; v < VOCAB; v++) all += exp((double)logits[i - 1][v]);
    sum += (double)logits[i - 1][ids[i]] - log(all);
  }
  return sum;
}

static void the_likeliest_choice_is_chosen(void **state) {
  (void)state;
  static char *const choices[] = {"fur", "a nest of hay", "feathers", "mud"};
  int chosen[4] = {0};
  for (int i = 0; i < 24; i++) {
    char prompt[64], spaced[64];
    double best = -INFINITY, best_normed = -INFINITY;
    int right = 0, normed = 0;
    snprintf(prompt, sizeof prompt, "Question: What has number %d?\nAnswer:", i * i);
    mini_item m = {.prompt = prompt, .choices = 4};
    for (int k = 0; k < 4; k++) {
      m.choice[k] = choices[(k + i) % 4];
      snprintf(spaced, sizeof spaced, " %s", m.choice[k]);
      double sum = slow(prompt, spaced);
      if (sum > best) best = sum, right = k;
      if (sum / (double)strlen(m.choice[k]) > best_normed) best_normed = sum / (double)strlen(m.choice[k]), normed = k;
    }
    for (m.answer = 0; m.answer < 4; m.answer++) {
      tern_mini_verdict v;
      tern_error e = {0};
      if (tern_mini_judge(&scorer, &m, &v, &e)) fail_msg("%s", e.text);
      assert_true(v.right == (m.answer == right));
      assert_true(v.normed == (m.answer == normed));
      assert_string_equal(v.said, m.choice[right]);
    }
    chosen[right]++;
  }
  assert_true(chosen[0] < 24 && chosen[1] < 24 && chosen[2] < 24 && chosen[3] < 24);
}

static void a_text_without_prompt_costs_its_tokens(void **state) {
  (void)state;
  char text[] = "Every day Otto was alone in the barn. One day Dan came by with a cat.", none[] = "";
  mini_item m = {.prompt = none, .completion = text};
  tern_mini_verdict v;
  tern_error e = {0};
  if (tern_mini_judge(&scorer, &m, &v, &e)) fail_msg("%s", e.text);
  assert_true(fabs(v.nats + slow("", text)) < 1e-4 * v.nats);
  assert_true(v.bytes == (double)strlen(text) && v.tokens > 1);
}

static void an_answer_is_right_when_its_end_is_the_records(void **state) {
  (void)state;
  char prompt[] = "Question: How many?\nAnswer:", text[512], other[] = " #### 7";
  mini_item m = {.prompt = prompt, .completion = other, .final = other + 6};
  tern_mini_verdict v;
  tern_error e = {0};
  if (tern_mini_judge(&scorer, &m, &v, &e)) fail_msg("%s", e.text);
  assert_true(v.right == 0 && v.said[0]);
  snprintf(text, sizeof text, "%s", v.said);
  m.final = text + strspn(text, " ");
  if (tern_mini_judge(&scorer, &m, &v, &e)) fail_msg("%s", e.text);
  assert_true(v.right == 1);
}

static void a_record_that_does_not_fit_is_wrong(void **state) {
  (void)state;
  static char prompt[8 * IDS];
  char other[] = " 7", none[] = "";
  memset(prompt, '7', sizeof prompt - 1);
  mini_item m = {.prompt = prompt, .completion = other, .final = other + 1};
  tern_mini_verdict v;
  tern_error e = {0};
  assert_int_equal(tern_mini_judge(&scorer, &m, &v, &e), TERN_OK);
  assert_true(scorer.too_long && v.right == 0 && !e.text[0]);
  m = (mini_item){.prompt = none, .completion = prompt};
  assert_int_equal(tern_mini_judge(&scorer, &m, &v, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "does not fit"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_likeliest_choice_is_chosen),
      cmocka_unit_test(a_text_without_prompt_costs_its_tokens),
      cmocka_unit_test(an_answer_is_right_when_its_end_is_the_records),
      cmocka_unit_test(a_record_that_does_not_fit_is_wrong),
  };
  return cmocka_run_group_tests(tests, make, clean);
}
