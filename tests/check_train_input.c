/* Bad input of training: typos in a configuration, broken records, a loss that
 * is not a number, a full disk. What was good before stays. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "engine/train/bpe.h"
#include "engine/train/run.h"
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

static void expect_text(int rc, const tern_error *e, const char *part) {
  if (rc != TERN_FAILED || !strstr(e->text, part)) fail_msg("%d, \"%s\", want \"%s\"", rc, e->text, part);
}

static void typos_name_key_and_neighbour(void **state) {
  static const struct {
    fixture_change change;
    const char *want;
  } cases[] = {
      {{.train = ", \"weight_decy\": 0.1"}, "train.weight_decy is not known; did you mean train.weight_decay?"},
      {{.model = ", \"prompt_weight\": 1"}, "model.prompt_weight is not known; did you mean data.prompt_weight?"},
      {{.train = ", \"zebra\": 1"}, "train.zebra is not known (docs/training.md lists all)"},
      {{.train = ", \"beta1\": 2"}, "train.beta1: want a number from 0 to 0.99999"},
      {{.train = ", \"seed\": 1.5"}, "train.seed: want a whole number from 0"},
      {{.model = ", \"weights\": \"fp4\""}, "model.weights: want \"ternary\", \"f16\" or \"f32\""},
      {{.model = ", \"arch\": \"llama\""}, "model.arch: want \"bitnet-b1.58\""},
      {{.shape = "\"layers\": 1, \"hidden\": 60, \"ffn\": 64, \"heads\": 2, \"kv_heads\": 1, \"context\": 64"},
       "multiples of 16"},
      {{.shape = "\"layers\": 1, \"hidden\": 64, \"ffn\": 64, \"heads\": 4, \"kv_heads\": 3, \"context\": 64"},
       "a divisor"},
      {{.shape = "\"hidden\": 64, \"ffn\": 64, \"heads\": 4, \"kv_heads\": 4, \"context\": 64"},
       "key model.layers is missing"},
      {{.files = "\"train\": [{\"file\": \"a.jsonl\", \"last\": 1}]"}, "data.train: want a file without \"last\""},
      {{.files = "\"train\": [{\"file\": \"a.jsonl\", \"repeat\": 0}]"}, "train.repeat: want a number from 1e-06"},
      {{.files = "\"train\": [{\"file\": \"a.jsonl\", \"epoch\": 1}]"}, "data.train: want a list of paths or"},
      {{.files = "\"train\": [{\"repeat\": 1}]"}, "data.train: want \"file\" in every object"},
      {{.data = ", \"mini\": 1"}, "data.mini: want a path"},
      {{.data = ", \"task_weights\": {\"drill\": -1}"}, "data.task_weights: want numbers from 0 to 100"},
      {{.data = ", \"template\": \"nobody's\""}, "data.template: want one of chatml"},
      {{.train = ", \"patience\": 2"}, "train.patience: wants data.eval and train.eval_every"},
      {{.top = ", \"lora\": {\"rank\": 2}"}, "from: adapters (lora.rank) want the model that they adapt"},
      {{.top = ", \"lora\": {\"targets\": [\"attn_q\", \"ffn\"]}"}, "lora.targets: want a list of attn_q"},
      {{.train = ", }"}, "line 4: "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_train_config c;
    tern_error e = {0};
    fixture_config(*state, "typo.json", &cases[i].change);
    expect_text(tern_train_config_read(&c, folder_path(*state, "typo.json"), &e), &e, cases[i].want);
  }
}

/* Trains with records of that text; the error must hold `want`. */
static void expect_refused(folder *f, const char *name, const char *records, const char *want) {
  tern_train_config c;
  tern_dataset d;
  tern_error e = {0};
  fixture_text(f, name, records);
  fixture_config(f, "broken.json", &(fixture_change){.data = ", \"template\": \"chatml\""});
  assert_int_equal(tern_train_config_read(&c, folder_path(f, "broken.json"), &e), 0);
  snprintf(c.train.at[0].path, sizeof c.train.at[0].path, "%.500s", folder_path(f, name));
  size_t size;
  tern_train_files files = c.train;
  tern_tokenizer *tokenizer;
  tern_gguf *g;
  char *bytes = fixture_read(f, "tokenizer.gguf", &size);
  assert_int_equal(tern_gguf_parse(&g, (uint8_t *)bytes, size, "tokenizer", &e), 0);
  assert_int_equal(tern_tokenizer_from_gguf(&tokenizer, g, &e), 0);
  int rc = tern_dataset_read(&d, &c, &files, tokenizer, &e);
  expect_text(rc, &e, want);
  tern_tokenizer_close(tokenizer);
  tern_gguf_close(g);
  free(bytes);
  tern_train_config_close(&c);
}

static void broken_records_are_named_by_line(void **state) {
  static const struct {
    const char *records, *want;
  } cases[] = {
      {"{\"completion\": \"a\"}\n{\"completion\": \"b\"\n", "bad.jsonl:2: "},
      {"{\"completion\": \"a\"}\n\n[1]\n", "bad.jsonl:3: want an object on each line"},
      {"{\"prompt\": \"a\"}\n", "bad.jsonl:1: \"completion\": want a text"},
      {"{\"completion\": 7}\n", "bad.jsonl:1: \"completion\": want a text"},
      {"{\"completion\": \"a\", \"prompt\": []}\n", "bad.jsonl:1: \"prompt\": want a text"},
      {"{\"completion\": \"a\", \"weight\": -1}\n", "bad.jsonl:1: \"weight\": want a number"},
      {"{\"prompt\": \"ab\", \"completion\": \"c\", \"answers\": 1}\n", "bad.jsonl:1: \"answers\": want a list"},
      {"{\"prompt\": \"ab\", \"completion\": \"c\", \"answers\": [[1, 3]]}\n",
       "bad.jsonl:1: \"answers\": entry 1 is no part"},
      {"{\"prompt\": \"ab\", \"completion\": \"c\", \"answers\": [[1, 2], [0, 1]]}\n",
       "bad.jsonl:1: \"answers\": entry 2 is"},
      {"{\"prompt\": \"ab\", \"completion\": \"c\", \"answers\": [[-1, 1]]}\n", "bad.jsonl:1: \"answers\": entry 1 is"},
      {"{\"instruction\": \"a\"}\n", "bad.jsonl:1: \"output\": want a text"},
      {"{\"instruction\": \"a\", \"output\": \"\"}\n", "bad.jsonl:1: \"output\": want a text that is not empty"},
      {"{\"instruction\": \"a\", \"input\": 5, \"output\": \"b\"}\n", "bad.jsonl:1: \"input\": want a text"},
      {"{\"completion\": \"a\"}\n{\"messages\": []}\n", "bad.jsonl:2: \"messages\": want a list"},
      {"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n",
       "bad.jsonl:1: \"messages\": the last one is not"},
      {"{\"messages\": [{\"role\": \"usr\", \"content\": \"a\"}]}\n", "bad.jsonl:1: message 1: \"role\": want"},
      {"{\"messages\": [{\"role\": \"assistant\"}]}\n", "bad.jsonl:1: message 1: \"content\": want"},
      {"{\"messages\": [7]}\n", "bad.jsonl:1: message 1: \"role\": want"},
      {"\n \n", "bad.jsonl: no records"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    expect_refused(*state, "bad.jsonl", cases[i].records, cases[i].want);
}

static void long_documents_are_cut_and_counted(void **state) {
  folder *f = *state;
  tern_trainer t;
  char text[1200] = "";
  for (int i = 0; i < 100; i++) strcat(text, "12345 67 ");
  fixture_text(f, "long.txt", text);
  fixture_config(f, "long.json", &(fixture_change){.data = ", \"prompt_weight\": 0.5"});
  fixture_trainer(&t, f, "long.json", 1, TERN_ISA_COUNT);
  tern_dataset d;
  tern_error e = {0};
  tern_train_files files = {.count = 1, .at = {{.repeat = 1, .first = 1}}};
  snprintf(files.at[0].path, sizeof files.at[0].path, "%.500s", folder_path(f, "long.txt"));
  assert_int_equal(tern_dataset_read(&d, &t.config, &files, t.tokenizer, &e), 0);
  assert_int_equal(d.documents, 1);
  assert_int_equal(d.cut, 1);
  assert_int_equal(d.at[1], 64);
  tern_dataset_close(&d);
  tern_trainer_close(&t);
}

static int run(folder *f, const char *config, const char *to, int stop, bool resume, tern_error *e) {
  char path[700], into[700];
  tern_run_result r;
  snprintf(path, sizeof path, "%s", folder_path(f, config));
  snprintf(into, sizeof into, "%s", folder_path(f, to));
  return tern_train_run(
      &(tern_run_params){
          .config = path, .folder = into, .stop = stop, .resume = resume, .threads = 2, .cap = TERN_ISA_COUNT},
      &r, e);
}

static void loss_that_is_no_number_stops_and_names_the_tensor(void **state) {
  folder *f = *state;
  tern_trainer t;
  tern_error e = {0};
  tern_train_step s;
  fixture_trainer(&t, f, "ternary.json", 2, TERN_ISA_COUNT);
  assert_int_equal(tern_trainer_step(&t, &s, &e), 0);
  const size_t down = t.net.params[t.net.layer[1].linear[TERN_TRAIN_DOWN].first].at;
  const float kept = t.net.w[0];
  t.net.w[down + 5] = NAN;
  expect_text(tern_trainer_step(&t, &s, &e), &e, "step 2: weights of blk.1.ffn_down.weight are not finite");
  assert_true(t.net.w[0] == kept && t.step == 1);
  tern_trainer_close(&t);
  fixture_config(f, "twin.json", &(fixture_change){.model = ", \"weights\": \"f32\""});
  fixture_trainer(&t, f, "twin.json", 2, TERN_ISA_COUNT);
  for (int i = 0; i < t.net.ffn; i++) t.net.w[down + (size_t)i] = 3e38f;
  expect_text(tern_trainer_step(&t, &s, &e), &e,
              "step 1: the loss is not a number: first in the output of blk.1.ffn_down");
  tern_trainer_close(&t);
}

/* A learning rate that overflows: the run fails, its last checkpoint loads. */
static void diverged_run_keeps_its_last_checkpoint(void **state) {
  folder *f = *state;
  tern_trainer t;
  tern_error e = {0};
  fixture_config(f, "diverge.json",
                 &(fixture_change){.model = ", \"weights\": \"f32\", \"init\": 100",
                                   .train = ", \"clip\": 0, \"beta2\": 0, "
                                            "\"eps\": 1e-20, \"weight_decay\": 10, \"checkpoint_every\": 1"});
  assert_int_equal(run(f, "diverge.json", "diverge", 2, false, &e), 0);
  size_t n, m;
  char *before = fixture_read(f, "diverge/checkpoint.tern", &n);
  assert_int_equal(tern_trainer_load(&t, folder_path(f, "diverge/checkpoint.tern"), 1, TERN_ISA_COUNT, true, &e), 0);
  t.net.w[t.net.embedding] = INFINITY;
  tern_train_step s;
  expect_text(tern_trainer_step(&t, &s, &e), &e, "step 3: weights of token_embd.weight");
  tern_trainer_close(&t);
  char *after = fixture_read(f, "diverge/checkpoint.tern", &m);
  assert_int_equal(n, m);
  assert_memory_equal(before, after, n);
  free(before), free(after);
}

/* Files of this process may not grow past what a checkpoint needs. */
static void full_disk_keeps_the_last_checkpoint(void **state) {
  folder *f = *state;
  tern_error e = {0};
  size_t n, m;
  assert_int_equal(run(f, "ternary.json", "full", 3, false, &e), 0);
  char *before = fixture_read(f, "full/checkpoint.tern", &n);
  struct rlimit old;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){n / 2, old.rlim_max}), 0);
  const int rc = run(f, "ternary.json", "full", 6, true, &e);
  setrlimit(RLIMIT_FSIZE, &old);
  expect_text(rc, &e, "checkpoint.tern");
  char *after = fixture_read(f, "full/checkpoint.tern", &m);
  assert_int_equal(n, m);
  assert_memory_equal(before, after, n);
  free(before), free(after);
  e = (tern_error){0};
  assert_int_equal(run(f, "ternary.json", "full", 6, true, &e), 0); /* and goes on once there is room */
}

static void damaged_or_foreign_checkpoints_are_refused(void **state) {
  folder *f = *state;
  tern_error e = {0};
  tern_trainer t;
  size_t n;
  assert_int_equal(run(f, "ternary.json", "damage", 2, false, &e), 0);
  expect_text(run(f, "ternary.json", "damage", 3, false, &e), &e, "--resume goes on from it");
  fixture_config(f, "other.json", &(fixture_change){.train = ", \"clip\": 2"});
  expect_text(run(f, "other.json", "damage", 3, true, &e), &e, "not the configuration that");
  fixture_config(f, "wide.json",
                 &(fixture_change){.top = ", \"from\": \"damage/checkpoint.tern\"",
                                   .shape = "\"layers\": 1, \"hidden\": 64, \"ffn\": 64, \"heads\": 4, "
                                            "\"kv_heads\": 2, \"context\": 64"});
  expect_text(run(f, "wide.json", "wide", 3, false, &e), &e, "of another shape");
  char *bytes = fixture_read(f, "damage/checkpoint.tern", &n);
  for (int i = 0; i < 3; i++) { /* cut short; one bit of a weight; another magic */
    const size_t size = i == 0 ? n - 100 : n;
    bytes[i == 2 ? 0 : n - 1000] ^= i > 0;
    FILE *to = fopen(folder_path(f, "bad.tern"), "w");
    assert_true(to && fwrite(bytes, 1, size, to) == size && fclose(to) == 0);
    bytes[i == 2 ? 0 : n - 1000] ^= i > 0;
    static const char *const want[] = {"cut short or damaged", "(checksum)", "not a checkpoint"};
    expect_text(tern_trainer_load(&t, folder_path(f, "bad.tern"), 1, TERN_ISA_COUNT, false, &e), &e, want[i]);
  }
  free(bytes);
  fixture_text(f, "train.jsonl", "{\"completion\": \"now something else\"}\n");
  expect_text(run(f, "ternary.json", "damage", 3, true, &e), &e, "the training data have changed");
}

static uint64_t sum_part(uint64_t h, const char *from, size_t size) {
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = 0;
    memcpy(&word, from + i, size - i < 8 ? size - i : 8);
    h = (h ^ word) * UINT64_C(0x100000001b3);
  }
  return h;
}

/* The header had no evaluations in it: 64 bytes in place of 96. */
static void checkpoints_of_the_first_kind_load(void **state) {
  enum { FIRST = 64, NOW = 96, SIZES = 40 };
  folder *f = *state;
  tern_error e = {0};
  tern_trainer t;
  size_t n;
  uint64_t sizes[3], sum = 0; /* config, vocabulary, weights */
  assert_int_equal(run(f, "ternary.json", "first", 2, false, &e), 0);
  char *bytes = fixture_read(f, "first/checkpoint.tern", &n);
  memcpy(sizes, bytes + SIZES, sizeof sizes);
  bytes[7] = '1';
  memmove(bytes + FIRST, bytes + NOW, n - NOW);
  const size_t arena = (size_t)sizes[2] * sizeof(float), parts[] = {FIRST, sizes[0], sizes[1], arena, arena, arena};
  size_t at = 0;
  for (int i = 0; i < 6; at += parts[i++]) sum = sum_part(sum, bytes + at, parts[i]);
  assert_int_equal(at, n - (NOW - FIRST) - sizeof sum);
  memcpy(bytes + at, &sum, sizeof sum);
  FILE *to = fopen(folder_path(f, "first.tern"), "w");
  assert_true(to && fwrite(bytes, 1, at + sizeof sum, to) == at + sizeof sum && fclose(to) == 0);
  free(bytes);
  if (tern_trainer_load(&t, folder_path(f, "first.tern"), 1, TERN_ISA_COUNT, true, &e)) fail_msg("%s", e.text);
  assert_int_equal(t.step, 2);
  assert_true(isnan(t.watch.base) && isinf(t.watch.best));
  tern_trainer_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(typos_name_key_and_neighbour),
      cmocka_unit_test(broken_records_are_named_by_line),
      cmocka_unit_test(long_documents_are_cut_and_counted),
      cmocka_unit_test(loss_that_is_no_number_stops_and_names_the_tensor),
      cmocka_unit_test(diverged_run_keeps_its_last_checkpoint),
      cmocka_unit_test(full_disk_keeps_the_last_checkpoint),
      cmocka_unit_test(checkpoints_of_the_first_kind_load),
      cmocka_unit_test(damaged_or_foreign_checkpoints_are_refused), /* changes the data: last */
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
