/* The runner: whatever the sequences, batch and asks ahead, every ask gives what
 * it gives alone, to the bit, and what lm-eval found with transformers. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/interrupt.h"
#include "engine/generate/generate.h"
#include "harness/eval/answer_text.h"
#include "harness/eval/run.h"
#include "tests/eval_fixture.h"
#include "tests/scratch.h"
#include "tests/stories.h"

enum { MOST_ASKS = 32 };

typedef struct fixture {
  char dir[256];
  tern_gguf *gguf;
  tern_tokenizer *tokenizer;
  tern_team *team;
  tern_model *model;
  json_t *root, *hf; /* the case that lm-eval computed */
  tern_ask_rules rules;
} fixture;

static int setup(void **state) {
  static fixture f;
  char path[512];
  tern_error e = {0};
  const tern_model_params p = {.layout = "f32", .head_layout = "f32", .isa_cap = TERN_ISA_COUNT};
  *state = &f;
  if (stories_shared("models/stories260K.bin") == NULL) return 0;
  scratch_make(f.dir, sizeof f.dir);
  snprintf(path, sizeof path, "%s/stories.gguf", f.dir);
  if (stories_convert("models/stories260K.bin", path) != 0) return 1;
  if (tern_gguf_open(&f.gguf, path, &e) != 0 || tern_tokenizer_from_gguf(&f.tokenizer, f.gguf, &e) != 0) return 1;
  if (tern_team_open(&f.team, 2, NULL, &e) != 0 || tern_model_load(&f.model, f.gguf, &p, f.team, &e) != 0) return 1;
  f.root = fixture_open("eval-asks.json");
  f.hf = json_array_get(json_object_get(f.root, "cases"), 0);
  f.rules = (tern_ask_rules){.bos = TERN_BOS_OWN,
                             .window = TERN_WINDOW_HF,
                             .context = (int)json_integer_value(json_object_get(f.root, "context")),
                             .most_tokens = (int)json_integer_value(json_object_get(f.root, "most_tokens"))};
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  if (f->model == NULL) return 0;
  tern_model_close(f->model);
  tern_team_close(f->team);
  tern_tokenizer_close(f->tokenizer);
  tern_gguf_close(f->gguf);
  json_decref(f->root);
  scratch_remove(f->dir);
  return 0;
}

/* A set of documents without a file, each with `per` asks. */
typedef struct set {
  tern_task task;
  tern_documents documents;
  tern_document list[MOST_ASKS];
  tern_ask asks[MOST_ASKS];
} set;

static void set_make(set *s, const json_t *texts, tern_request_kind kind, int per) {
  static char name[] = "asks", line[] = "\n", point[] = ".";
  static char *stops[] = {line, point};
  size_t count = json_array_size(texts);
  assert_in_range(count, 1, MOST_ASKS);
  *s = (set){.task = {.name = name, .kind = kind, .stops = stops, .stop_count = 2}};
  s->documents = (tern_documents){.task = &s->task, .name = name, .list = s->list, .count = count / (size_t)per};
  for (size_t i = 0; i < count; i++) {
    const json_t *text = json_array_get(texts, i);
    const char *one = json_string_value(text);
    s->asks[i] = kind == TERN_ASK_CHOICES   ? (tern_ask){json_string_value(json_array_get(text, 0)),
                                                         json_string_value(json_array_get(text, 1))}
                 : kind == TERN_ASK_ROLLING ? (tern_ask){NULL, one}
                                            : (tern_ask){one, NULL};
  }
  for (size_t i = 0; i < s->documents.count; i++)
    s->list[i] = (tern_document){.id = i, .asks = &s->asks[i * (size_t)per], .ask_count = per};
}

typedef struct taken {
  tern_reply replies[MOST_ASKS];
  int times[MOST_ASKS], fail_after, count;
} taken;

static int take(void *arg, const tern_document *d, const tern_ask_ids *ids, const tern_reply *replies, tern_error *e) {
  taken *t = arg;
  if (t->fail_after > 0 && t->count == t->fail_after) return tern_fail(e, TERN_FAILED, "the disk is full");
  t->count++;
  t->times[d->id]++;
  for (int i = 0; i < d->ask_count; i++) {
    tern_reply *to = &t->replies[(int)d->id * d->ask_count + i];
    *to = replies[i];
    to->text = replies[i].text != NULL ? strdup(replies[i].text) : NULL;
    assert_int_equal(ids[i].cut, replies[i].truncated);
  }
  return 0;
}

static void drop(taken *t) {
  for (int i = 0; i < MOST_ASKS; i++) free(t->replies[i].text);
}

typedef struct sizes {
  int sequences, batch, ahead, context, wait;
} sizes;

static int run_set(const fixture *f, const set *s, const sizes *z, const bool *wanted, taken *out,
                   tern_run_facts *facts, tern_error *e) {
  tern_schedule *schedule;
  const tern_schedule_params p = {.sequences = z->sequences,
                                  .batch = z->batch,
                                  .context = z->context > 0 ? z->context : f->rules.context,
                                  .wait = z->wait};
  assert_int_equal(tern_schedule_open(&schedule, f->model, f->team, f->tokenizer, &p, e), 0);
  const tern_run run = {
      .schedule = schedule, .tokenizer = f->tokenizer, .rules = f->rules, .ahead = z->ahead, .take = take, .arg = out};
  int status = tern_run_documents(&run, &s->documents, wanted, facts, e);
  tern_schedule_close(schedule);
  return status;
}

/* ---- alone */

static double score_alone(const fixture *f, const int32_t *ids, int count, int scored, bool *greedy) {
  tern_session *session;
  tern_error e = {0};
  tern_score scores[128];
  double sum = 0;
  assert_in_range(scored, 1, 128);
  assert_int_equal(tern_session_open(&session, f->model, f->team, &(tern_session_params){.context = count}, &e), 0);
  tern_item item = {.session = session,
                    .ids = ids,
                    .n = count - 1,
                    .wanted = scored,
                    .targets = ids + count - scored,
                    .scores = scores};
  assert_int_equal(tern_session_feed(&item, &e), 0);
  for (int i = 0; i < scored; i++) {
    sum += scores[i].logprob;
    *greedy = *greedy && scores[i].best == item.targets[i];
  }
  tern_session_close(session);
  return sum;
}

static void assert_as_alone(const fixture *f, const tern_ask *ask, const tern_reply *reply) {
  tern_splitter s = {.tokenizer = f->tokenizer, .rules = f->rules};
  tern_ask_ids ids;
  tern_error e = {0};
  double sum = 0;
  bool greedy = true;
  int from, count, scored;
  assert_int_equal(tern_ask_split(&s, ask, &ids, &e), 0);
  if (ask->context != NULL) sum = score_alone(f, ids.ids, ids.count, ids.scored, &greedy);
  for (int i = 0; ask->context == NULL && tern_ask_window(&s.rules, &ids, i, &from, &count, &scored); i++)
    sum += score_alone(f, ids.ids + from, count, scored, &greedy);
  assert_memory_equal(&sum, &reply->logprob, sizeof sum);
  assert_int_equal(greedy, reply->greedy);
  assert_int_equal(ids.scored, reply->tokens);
  free(ids.ids);
  tern_splitter_close(&s);
}

static const sizes shapes[] = {{1, 512, 1, 0, 0},  {1, 7, 3, 0, 0},    {3, 512, 64, 0, 1},
                               {16, 16, 64, 0, 4}, {16, 512, 5, 0, 8}, {8, 64, 64, 200, 0}};

static void scores_are_those_of_each_ask_alone_and_of_lm_eval(void **state) {
  static const char *const kinds[] = {"pairs", "rolling"};
  const fixture *f = *state;
  if (f->model == NULL) skip();
  set s;
  for (int kind = 0; kind < 2; kind++) {
    const json_t *texts = json_object_get(f->root, kinds[kind]), *want = json_object_get(f->hf, kinds[kind]);
    for (size_t z = 0; z < sizeof shapes / sizeof *shapes; z++) {
      taken out = {0};
      tern_run_facts facts = {0};
      tern_error e = {0};
      set_make(&s, texts, kind == 0 ? TERN_ASK_CHOICES : TERN_ASK_ROLLING, 1);
      if (run_set(f, &s, &shapes[z], NULL, &out, &facts, &e) != 0) fail_msg("%s", e.text);
      assert_int_equal(facts.asks, json_array_size(texts));
      for (size_t i = 0; i < json_array_size(texts); i++) {
        const json_t *found = json_array_get(want, i);
        assert_int_equal(out.times[i], 1);
        assert_as_alone(f, &s.asks[i], &out.replies[i]);
        double ll = json_real_value(json_object_get(found, "ll")); /* a sum of floats there */
        assert_true(fabs(out.replies[i].logprob - ll) < 1e-4 + 2e-7 * fabs(ll));
        if (kind == 0) assert_int_equal(out.replies[i].greedy, json_is_true(json_object_get(found, "greedy")));
      }
    }
  }
}

static void texts_are_those_of_lm_eval_however_many_run(void **state) {
  const fixture *f = *state;
  if (f->model == NULL) skip();
  const json_t *texts = json_object_get(f->root, "prompts"), *want = json_object_get(f->hf, "prompts");
  set s;
  set_make(&s, texts, TERN_ASK_TEXT, 1);
  for (size_t z = 0; z < sizeof shapes / sizeof *shapes; z++) {
    taken out = {0};
    tern_run_facts facts = {0};
    tern_error e = {0};
    if (run_set(f, &s, &shapes[z], NULL, &out, &facts, &e) != 0) fail_msg("%s", e.text);
    for (size_t i = 0; i < s.documents.count; i++) {
      const char *text = out.replies[i].text;
      /* transformers' decode of the new ids alone drops the first blank */
      assert_string_equal(text + (*text == ' '), json_string_value(json_object_get(json_array_get(want, i), "text")));
      assert_in_range(out.replies[i].tokens, 1, f->rules.most_tokens);
    }
    drop(&out);
  }
}

static void choices_of_a_question_share_its_prompt(void **state) {
  const fixture *f = *state;
  if (f->model == NULL) skip();
  set s;
  char question[600] = "", other[600] = "";
  json_t *texts = json_array();
  for (int i = 0; i < 12; i++) strcat(question, "Tom had a ball. ");
  strcpy(other, question);
  strcat(question, "Who had it?");
  strcat(other, "What was it?");
  static const char *const choices[] = {" Tom", " Lily", " the dog", " a cat"};
  for (int i = 0; i < 8; i++)
    json_array_append_new(texts, json_pack("[s,s]", i < 4 ? question : other, choices[i % 4]));
  set_make(&s, texts, TERN_ASK_CHOICES, 4);
  taken out = {0};
  tern_run_facts facts = {0};
  tern_error e = {0};
  const sizes wide = {8, 512, 64, 200, 0};
  fixture large = *f;
  large.rules.context = 200;
  if (run_set(&large, &s, &wide, NULL, &out, &facts, &e) != 0) fail_msg("%s", e.text);
  for (int i = 0; i < 8; i++) assert_as_alone(&large, &s.asks[i], &out.replies[i]);
  assert_int_equal(facts.asks, 8);
  /* Fed once: the beginning that both have; each question's own end; each choice. */
  assert_true(facts.fed > 8 * 60);
  assert_true(facts.reused * 10 > facts.fed * 8);
  json_decref(texts);
}

/* Below 32 tokens in common nothing is waited for, unless the schedule is told to. */
static void choices_of_a_short_question_share_it_when_told_to(void **state) {
  static const char *const choices[] = {" Tom", " Lily", " the dog", " a cat"};
  const fixture *f = *state;
  if (f->model == NULL) skip();
  set s;
  int64_t reused[2];
  json_t *texts = json_array();
  for (int i = 0; i < 4; i++) json_array_append_new(texts, json_pack("[s,s]", "Who had the red ball?", choices[i]));
  for (int told = 0; told < 2; told++) {
    taken out = {0};
    tern_run_facts facts = {0};
    tern_error e = {0};
    const sizes z = {8, 512, 64, 0, told ? 4 : 0};
    set_make(&s, texts, TERN_ASK_CHOICES, 4);
    if (run_set(f, &s, &z, NULL, &out, &facts, &e) != 0) fail_msg("%s", e.text);
    for (int i = 0; i < 4; i++) assert_as_alone(f, &s.asks[i], &out.replies[i]);
    reused[told] = facts.reused;
  }
  assert_int_equal(reused[0], 0);
  assert_true(reused[1] >= 3 * 8);
  json_decref(texts);
}

static void only_wanted_documents_are_asked(void **state) {
  const fixture *f = *state;
  if (f->model == NULL) skip();
  bool wanted[MOST_ASKS] = {[1] = true, [4] = true};
  taken out = {0};
  tern_run_facts facts = {0};
  tern_error e = {0};
  set s;
  set_make(&s, json_object_get(f->root, "pairs"), TERN_ASK_CHOICES, 1);
  assert_int_equal(run_set(f, &s, &shapes[2], wanted, &out, &facts, &e), 0);
  for (int i = 0; i < MOST_ASKS; i++) assert_int_equal(out.times[i], wanted[i]);
  assert_int_equal(facts.asks, 2);
}

static void a_taker_that_fails_and_an_interrupt_end_the_run(void **state) {
  const fixture *f = *state;
  if (f->model == NULL) skip();
  taken out = {.fail_after = 3};
  tern_run_facts facts = {0};
  tern_error e = {0};
  set s;
  set_make(&s, json_object_get(f->root, "pairs"), TERN_ASK_CHOICES, 1);
  assert_int_equal(run_set(f, &s, &shapes[2], NULL, &out, &facts, &e), TERN_FAILED);
  assert_string_equal(e.text, "the disk is full");
  assert_int_equal(out.count, 3);
  out = (taken){0};
  tern_interrupt_install();
  raise(SIGINT);
  assert_int_equal(run_set(f, &s, &shapes[2], NULL, &out, &facts, &e), TERN_INTERRUPTED);
  tern_interrupt_take();
  assert_int_equal(run_set(f, &s, &shapes[2], NULL, &out, &facts, &e), 0);
}

static void nothing_to_score_is_zero_and_empty_texts_have_no_windows(void **state) {
  const fixture *f = *state;
  if (f->model == NULL) skip();
  json_t *pairs = json_pack("[[s,s],[s,s]]", "Tom", "", "Tom", " ran"), *texts = json_pack("[s,s]", "", "Tom ran");
  taken out = {0};
  tern_run_facts facts = {0};
  tern_error e = {0};
  set s;
  set_make(&s, pairs, TERN_ASK_CHOICES, 2);
  if (run_set(f, &s, &shapes[0], NULL, &out, &facts, &e) != 0) fail_msg("%s", e.text);
  assert_int_equal(out.replies[0].tokens, 0);
  assert_true(out.replies[0].logprob == 0 && out.replies[1].logprob < 0);
  fixture bare = *f; /* with the tokenizer's BOS an empty text would have one id */
  bare.rules.bos = TERN_BOS_NEVER;
  out = (taken){0};
  set_make(&s, texts, TERN_ASK_ROLLING, 1);
  if (run_set(&bare, &s, &shapes[0], NULL, &out, &facts, &e) != 0) fail_msg("%s", e.text);
  assert_true(out.replies[0].logprob == 0 && out.replies[1].logprob < 0);
  json_decref(pairs);
  json_decref(texts);
}

static void answers_are_valid_text_without_nul(void **state) {
  (void)state;
  static const struct {
    const char *pieces[4];
    size_t sizes[4];
    const char *want;
    int replaced;
  } cases[] = {
      {{""}, {0}, "", 0},
      {{"ab", "c"}, {2, 1}, "abc", 0},
      {{"a\0b", "\0"},
       {3, 1},
       "a\xef\xbf\xbd"
       "b\xef\xbf\xbd",
       2},
      {{"\xc3", "\xa9"}, {1, 1}, "\xc3\xa9", 0},
      {{"\xc3", "x"}, {1, 1}, "\xef\xbf\xbdx", 0},
      {{"x\xe2\x82"}, {3}, "x\xef\xbf\xbd", 0},
      {{"\xff\xfe"}, {2}, "\xef\xbf\xbd\xef\xbf\xbd", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_answer_text a = {0};
    tern_error e = {0};
    int replaced;
    for (int k = 0; k < 4 && cases[i].pieces[k] != NULL; k++)
      assert_int_equal(tern_answer_text_put(&a, cases[i].pieces[k], cases[i].sizes[k], &e), 0);
    char *text = tern_answer_text_finish(&a, &replaced, &e);
    assert_string_equal(text, cases[i].want);
    assert_int_equal(replaced, cases[i].replaced);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scores_are_those_of_each_ask_alone_and_of_lm_eval),
      cmocka_unit_test(texts_are_those_of_lm_eval_however_many_run),
      cmocka_unit_test(choices_of_a_question_share_its_prompt),
      cmocka_unit_test(choices_of_a_short_question_share_it_when_told_to),
      cmocka_unit_test(only_wanted_documents_are_asked),
      cmocka_unit_test(a_taker_that_fails_and_an_interrupt_end_the_run),
      cmocka_unit_test(nothing_to_score_is_zero_and_empty_texts_have_no_windows),
      cmocka_unit_test(answers_are_valid_text_without_nul),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
