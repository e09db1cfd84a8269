/* What a step learns from: weights of tokens, targets, slices, epochs, and the
 * learning rate. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/train_fixture.h"

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

static void read_set(tern_dataset *d, tern_trainer *t, folder *f, const char *name, double repeat) {
  tern_error e = {0};
  tern_train_files files = {.count = 1, .at = {{.repeat = repeat, .first = 1}}};
  snprintf(files.at[0].path, sizeof files.at[0].path, "%.500s", folder_path(f, name));
  if (tern_dataset_read(d, &t->config, &files, t->tokenizer, &e) != TERN_OK) fail_msg("%s", e.text);
}

static void prompts_completions_and_tasks_have_their_weights(void **state) {
  folder *f = *state;
  tern_trainer t;
  tern_dataset d;
  fixture_text(f, "two.jsonl",
               "{\"prompt\": \"12\", \"completion\": \"345\", \"task\": \"drill\"}\n"
               "{\"completion\": \"67\", \"task\": \"story\", \"weight\": 0.5}\n");
  fixture_config(f, "tasks.json", &(fixture_change){.data = ", \"task_weights\": {\"drill\": 3}"});
  fixture_trainer(&t, f, "tasks.json", 1, TERN_ISA_COUNT);
  read_set(&d, &t, f, "two.jsonl", 1);
  /* BOS 1 2 | 3 4 5 EOS, BOS 6 7 EOS; digits are tokens. */
  static const float want[] = {0, 0.6f, 0.6f, 3, 3, 3, 3, 0, 0.5f, 0.5f, 0.5f};
  assert_int_equal(d.documents, 2);
  assert_int_equal(d.at[1], 7);
  assert_int_equal(d.at[2], 11);
  for (size_t i = 0; i < 11; i++) assert_true(fabsf(d.weights[i] - want[i]) < 1e-6f);
  assert_int_equal(d.tokens[0], 0);
  assert_int_equal(d.tokens[6], 1);
  assert_int_equal(d.tokens[7], 0);
  tern_dataset_close(&d);
  tern_trainer_close(&t);
}

/* Expects one document of these tokens' texts with a weight for each. */
static void expect_document(folder *f, const char *record, const char *text, const char *kinds) {
  tern_trainer t;
  tern_dataset d;
  fixture_text(f, "one.jsonl", record);
  fixture_config(f, "kinds.json",
                 &(fixture_change){.data = ", \"template\": \"chatml\", \"prompt_weight\": 0.25",
                                   .shape = "\"layers\": 1, \"hidden\": 64, \"ffn\": 64, \"heads\": 4, "
                                            "\"kv_heads\": 2, \"context\": 256"});
  fixture_trainer(&t, f, "kinds.json", 1, TERN_ISA_COUNT);
  read_set(&d, &t, f, "one.jsonl", 1);
  assert_int_equal(d.documents, 1);
  const size_t n = d.at[1];
  assert_int_equal(d.tokens[0], 0);
  assert_int_equal(d.tokens[n - 1], 1);
  size_t at = 0;
  for (size_t i = 1; i + 1 < n; i++) {
    const tern_gguf_string piece = tern_tokenizer_bytes(t.tokenizer, d.tokens[i - 1], d.tokens[i]);
    assert_memory_equal(text + at, piece.data, piece.size);
    for (size_t k = 0; k < piece.size; k++) assert_true(d.weights[i] == (kinds[at + k] == 'a' ? 1 : 0.25f));
    at += piece.size;
  }
  assert_int_equal(at, strlen(text));
  assert_true(d.weights[n - 1] == 1);
  tern_dataset_close(&d);
  tern_trainer_close(&t);
}

static void instructions_and_chats_are_learnt_by_their_answers(void **state) {
  expect_document(*state, "{\"instruction\": \"12\", \"input\": \"\", \"output\": \"34\"}\n", "12\n34", "pppaa");
  expect_document(*state, "{\"instruction\": \"1\", \"input\": \"2\", \"output\": \"3\"}\n", "1\n2\n3", "ppppa");
  expect_document(*state,
                  "{\"messages\": [{\"role\": \"user\", \"content\": \"1\"}, {\"role\": \"assistant\", \"content\": "
                  "\"2\"}]}\n",
                  "<|im_start|>user\n1<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n",
                  "ppppppppppppppppppppppppppppp"
                  "pppppppppppppppppppppp"
                  "aaaaaaaaaaaa");
}

static void answers_within_a_prompt_are_learnt(void **state) {
  expect_document(*state, "{\"prompt\": \"1=2\\n3=4\\n5=\", \"completion\": \"6\", \"answers\": [[2, 3], [6, 7]]}\n",
                  "1=2\n3=4\n5=6", "ppapppapppa");
}

static void every_answer_of_a_chat_is_learnt(void **state) {
  expect_document(
      *state,
      "{\"messages\": [{\"role\": \"system\", \"content\": \"0\"}, {\"role\": \"user\", \"content\": \"1\"}, "
      "{\"role\": \"assistant\", \"content\": \"2\"}, {\"role\": \"user\", \"content\": \"3\"}, "
      "{\"role\": \"assistant\", \"content\": \"4\"}]}\n",
      "<|im_start|>system\n0<|im_end|>\n<|im_start|>user\n1<|im_end|>\n<|im_start|>assistant\n"
      "2<|im_end|>\n"
      "<|im_start|>user\n3<|im_end|>\n<|im_start|>assistant\n"
      "4<|im_end|>\n",
      "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
      "aaaaaaaaaaaa"
      "ppppppppppppppppppppppppppppppppppppppppppppppppppp"
      "aaaaaaaaaaaa");
}

/* Every token of a batch predicts the next of its own document. */
static void slices_hold_whole_documents_in_fair_shares(void **state) {
  tern_trainer t;
  tern_error e = {0};
  fixture_trainer(&t, *state, "ternary.json", 1, TERN_ISA_COUNT);
  for (int round = 0; round < 20; round++) {
    double weight = 0;
    int tokens = 0;
    assert_int_equal(tern_batch_next(&t.batch, &t.data, &t.order, &t.cursor, 1, 256, &e), 0);
    for (int i = 0; i < t.batch.count; i++) {
      const tern_train_slice *s = &t.batch.slices[i];
      assert_true(s->tokens > 256 / 3 - 64 && s->tokens <= t.batch.capacity);
      assert_int_equal(s->starts[s->documents], s->tokens);
      tokens += s->tokens;
      for (int k = 0; k < s->documents; k++) {
        assert_int_equal(s->ids[s->starts[k]], 0);
        const int last = s->starts[k + 1] - 1;
        assert_int_equal(s->ids[last], 1);
        assert_true(s->weights[last] == 0);
        for (int p = s->starts[k]; p < last; p++) assert_int_equal(s->targets[p], s->ids[p + 1]);
      }
      for (int p = 0; p < s->tokens; p++) weight += (double)s->weights[p];
    }
    assert_true(tokens > 256 - 64 && tokens <= 256);
    assert_true(fabs(weight - 1) < 1e-5);
  }
  tern_trainer_close(&t);
}

static void epoch_takes_each_document_as_often_as_asked(void **state) {
  tern_trainer t;
  tern_dataset d;
  tern_error e = {0};
  int seen[40] = {0}, total = 0;
  fixture_trainer(&t, *state, "ternary.json", 1, TERN_ISA_COUNT);
  read_set(&d, &t, *state, "held.jsonl", 2.5);
  assert_int_equal(d.documents, 40);
  tern_cursor at = {0};
  assert_int_equal(tern_batch_next(&t.batch, &d, &t.order, &at, 9, 256, &e), 0);
  for (size_t i = 0; i < t.order.count; i++) seen[t.order.order[i]]++;
  for (int i = 0; i < 40; i++) {
    assert_true(seen[i] == 2 || seen[i] == 3);
    total += seen[i];
  }
  assert_true(total > 85 && total < 115);
  while (at.epoch == 0) assert_int_equal(tern_batch_next(&t.batch, &d, &t.order, &at, 9, 256, &e), 0);
  size_t moved = 0;
  for (size_t i = 0; i + 1 < t.order.count; i++) moved += t.order.order[i] > t.order.order[i + 1];
  assert_true(moved > 20); /* another order, not the file's */
  tern_dataset_close(&d);
  tern_trainer_close(&t);
}

static void document_longer_than_the_batch_is_a_step_by_itself(void **state) {
  tern_trainer t;
  tern_error e = {0};
  fixture_trainer(&t, *state, "ternary.json", 1, TERN_ISA_COUNT);
  size_t seen = 0, alone = 0;
  for (tern_cursor at = {0}; seen < t.data.documents;) {
    assert_int_equal(tern_batch_next(&t.batch, &t.data, &t.order, &at, 1, 12, &e), 0);
    if (at.epoch > 0) break; /* filled from the next one */
    assert_true(at.next > seen && (t.batch.tokens <= 12 || at.next == seen + 1));
    alone += t.batch.tokens > 12;
    seen = at.next;
  }
  assert_true(alone > 0);
  for (size_t next = 0, count = 0; next < t.data.documents; count = next) {
    next = tern_batch_plain(&t.batch, &t.data, -1, next, 12);
    assert_true(next > count && (t.batch.tokens <= 12 || next == count + 1));
  }
  tern_trainer_close(&t);
}

/* Drills alone at first, then everything: how often each document comes in
 * epochs 1, 2 and 3. A record is one for each entry that wants it, one behind the other. */
static void entry_takes_part_with_its_task_in_its_epochs(void **state) {
  folder *f = *state;
  tern_trainer t;
  tern_error e = {0};
  fixture_text(f, "mixed.jsonl",
               "{\"completion\": \"1\", \"task\": \"drill\"}\n"
               "{\"completion\": \"2\", \"task\": \"word\"}\n"
               "{\"completion\": \"3\", \"task\": \"drill\"}\n");
  fixture_config(f, "epochs.json",
                 &(fixture_change){.files = "\"train\": [{\"file\": \"mixed.jsonl\", \"task\": \"drill\", "
                                            "\"last\": 2}, {\"file\": \"mixed.jsonl\", \"first\": 2}]"});
  fixture_trainer(&t, f, "epochs.json", 1, TERN_ISA_COUNT);
  static const int want[3][5] = {{1, 0, 0, 1, 0}, {1, 1, 1, 1, 1}, {0, 1, 1, 0, 1}};
  assert_int_equal(t.data.documents, 5);
  for (uint64_t epoch = 0; epoch < 3; epoch++) {
    int seen[5] = {0};
    tern_cursor at = {epoch, 0};
    t.order.ready = false;
    assert_int_equal(tern_batch_next(&t.batch, &t.data, &t.order, &at, 1, 3, &e), 0);
    assert_int_equal(t.order.epoch, epoch);
    for (size_t i = 0; i < t.order.count; i++) seen[t.order.order[i]]++;
    for (int i = 0; i < 5; i++) assert_int_equal(seen[i], want[epoch][i]);
  }
  tern_trainer_close(&t);
}

static void text_is_a_document_a_paragraph(void **state) {
  folder *f = *state;
  tern_trainer t;
  tern_dataset d;
  fixture_text(f, "three.txt", "\n12\n3\n\n\n4\n\n567");
  fixture_trainer(&t, f, "ternary.json", 1, TERN_ISA_COUNT);
  read_set(&d, &t, f, "three.txt", 1);
  assert_int_equal(d.documents, 3);
  assert_int_equal(d.at[1], 6); /* BOS 1 2 line-end 3 EOS */
  assert_int_equal(d.at[2], 9);
  assert_int_equal(d.at[3], 14);
  tern_dataset_close(&d);
  tern_trainer_close(&t);
}

static void learning_rate_has_two_stages(void **state) {
  (void)state;
  const tern_train_config c = {
      .steps = 1000, .lr = 1, .warmup = 10, .stage = 0.5, .stage1_end = 0.4, .stage2_start = 0.3, .weight_decay = 0.1};
  static const struct {
    int step;
    double rate, decay;
  } want[] = {{0, 0.1, 0.1}, {9, 0.9892, 0.1}, {250, 0.7, 0.1}, {499, 0.4012, 0.1}, {500, 0.3, 0}, {750, 0.15, 0}};
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    double rate, decay;
    tern_train_schedule(&c, want[i].step, &rate, &decay);
    assert_true(fabs(rate - want[i].rate) < 1e-9 && decay == want[i].decay);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prompts_completions_and_tasks_have_their_weights),
      cmocka_unit_test(instructions_and_chats_are_learnt_by_their_answers),
      cmocka_unit_test(answers_within_a_prompt_are_learnt),
      cmocka_unit_test(every_answer_of_a_chat_is_learnt),
      cmocka_unit_test(slices_hold_whole_documents_in_fair_shares),
      cmocka_unit_test(epoch_takes_each_document_as_often_as_asked),
      cmocka_unit_test(document_longer_than_the_batch_is_a_step_by_itself),
      cmocka_unit_test(entry_takes_part_with_its_task_in_its_epochs),
      cmocka_unit_test(text_is_a_document_a_paragraph),
      cmocka_unit_test(learning_rate_has_two_stages),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
