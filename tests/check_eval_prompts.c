/* Every shipped task asks what lm-eval asks, byte for byte, shots included, and
 * takes the same answers for right: hashes over all rows that are at hand, made
 * by datasets/tasks/tools/lm_eval_prompts.py. Rows of our own stand for sets
 * that are not staged, shots of our own for those that are not kept here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "harness/eval/data_root.h"
#include "harness/eval/document.h"
#include "tests/scratch.h"

enum { FIRST = 10, HEX = 65, PATH = 600 };

/* The staged sets with our own rows beside them, and as shots our own or others'. */
static char stood_in[256], real[256];
static bool staged, fetched_shots;

static void link_to(const char *target, const char *folder, const char *name) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(symlink(target, path), 0);
}

static void fill_root(const char *root, const char *sets, const char *shots) {
  static const char *const names[] = {"arc_challenge", "arc_easy",  "boolq",         "commonsenseqa", "gsm8k",
                                      "hellaswag",     "humaneval", "humanevalplus", "ifeval",        "math500",
                                      "mmlu",          "triviaqa",  "truthfulqa",    "wikitext2",     "winogrande"};
  static const char *const own[] = {"openbookqa", "piqa", "social_iqa"};
  char target[PATH + 100];
  for (size_t i = 0; sets != NULL && i < sizeof names / sizeof *names; i++) {
    snprintf(target, sizeof target, "%.500s/%s", sets, names[i]);
    link_to(target, root, names[i]);
  }
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    snprintf(target, sizeof target, "%s/eval-rows/%s", TERN_FIXTURES, own[i]);
    link_to(target, root, own[i]);
  }
  link_to(shots, root, "shots");
}

static int make_roots(void **state) {
  static const char *const shots[] = {"shots/truthfulqa_primer.jsonl", "shots/gsm8k_cot.jsonl",
                                      "shots/minerva_math.jsonl"};
  const char *shared = getenv("TERN_SHARED");
  char path[PATH], found[4096], resolved[4096], shots_folder[4096];
  tern_error e;
  (void)state;
  scratch_make(stood_in, sizeof stood_in);
  scratch_make(real, sizeof real);
  snprintf(path, sizeof path, "%s/data", shared ? shared : "../shared");
  staged = realpath(path, resolved) != NULL;
  fill_root(stood_in, staged ? resolved : NULL, TERN_FIXTURES "/eval-rows/shots");
  fetched_shots = true;
  for (int i = 0; i < 3; i++)
    fetched_shots = fetched_shots && tern_data_find(found, sizeof found, NULL, shots[i], &e) == 0;
  if (!fetched_shots) return 0;
  *strrchr(found, '/') = '\0';
  fill_root(real, staged ? resolved : NULL, realpath(found, shots_folder) ? shots_folder : found);
  return 0;
}

static int drop_roots(void **state) {
  (void)state;
  scratch_remove(stood_in);
  scratch_remove(real);
  return 0;
}

static void to_hex(EVP_MD_CTX *hash, char out[HEX]) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  assert_int_equal(EVP_DigestFinal_ex(hash, digest, &size), 1);
  for (unsigned i = 0; i < size; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* A text and the NUL behind it. */
static void take(EVP_MD_CTX *hash, const char *text) {
  assert_int_equal(EVP_DigestUpdate(hash, text, strlen(text) + 1), 1);
}

typedef struct tally {
  EVP_MD_CTX *prompts, *answers;
  char first[FIRST][17]; /* of each of the first asks, shortened */
  size_t documents, asks;
} tally;

static void count_ask(tally *t, const tern_ask *a) {
  const char *context = a->context ? a->context : "", *continuation = a->continuation ? a->continuation : "";
  take(t->prompts, context);
  take(t->prompts, continuation);
  if (t->asks < FIRST) {
    char hex[HEX];
    EVP_MD_CTX *one = EVP_MD_CTX_new();
    EVP_DigestInit_ex(one, EVP_sha256(), NULL);
    take(one, context);
    take(one, continuation);
    to_hex(one, hex);
    snprintf(t->first[t->asks], sizeof *t->first, "%.16s", hex);
    EVP_MD_CTX_free(one);
  }
  t->asks++;
}

static void count_document(tally *t, const tern_task *task, const tern_document *d) {
  char gold[16];
  for (int i = 0; i < d->ask_count; i++) count_ask(t, &d->asks[i]);
  snprintf(gold, sizeof gold, "%d", d->texts.gold);
  if (task->kind == TERN_ASK_CHOICES) take(t->answers, gold);
  for (int i = 0; i < d->texts.references.count; i++) take(t->answers, d->texts.references.list[i]);
  t->documents++;
}

static void count_subtask(tally *t, const tern_task *task, const char *data, const tern_task_data *whole,
                          const char *subtask, const json_t *want) {
  const char *chat = json_string_value(json_object_get(want, "chat"));
  tern_documents set;
  tern_error e = {0};
  tern_document_options o = {.data = data, .whole = whole, .subtask = subtask};
  o.shots = (int)json_integer_value(json_object_get(want, "shots"));
  o.limit = (size_t)json_integer_value(json_object_get(want, "limit"));
  o.chat = chat ? tern_chat_template_find("chatml") : NULL;
  o.shots_as_turns = chat != NULL && strcmp(chat, "turns") == 0;
  if (tern_documents_make(&set, task, &o, &e) != 0) fail_msg("%s: %s", task->name, e.text);
  for (size_t i = 0; i < set.count; i++) count_document(t, task, &set.list[i]);
  tern_documents_close(&set);
}

static void count_task(tally *t, const tern_task *task, const char *data, const json_t *want) {
  tern_task_data whole;
  tern_error e = {0};
  char **values;
  size_t count;
  if (task->split_by == NULL) {
    count_subtask(t, task, data, NULL, NULL, want);
    return;
  }
  assert_int_equal(tern_task_data_open(&whole, task, data, NULL, true, &e), 0);
  assert_int_equal(tern_task_subtasks(task, whole.rows, &values, &count, &e), 0);
  for (size_t i = 0; i < count; i++) {
    count_subtask(t, task, data, &whole, values[i], want);
    free(values[i]);
  }
  free(values);
  tern_task_data_close(&whole);
}

static tern_task *open_task(const char *name) {
  char path[PATH];
  tern_task *task = NULL;
  tern_error e = {0};
  snprintf(path, sizeof path, "datasets/tasks/%s.json", name);
  if (access(path, R_OK) != 0) snprintf(path, sizeof path, "%s/eval-tasks/%s.json", TERN_FIXTURES, name);
  if (tern_task_open(&task, path, &e) != 0) fail_msg("%s", e.text);
  return task;
}

static int compare(const char *name, const json_t *want, const tally *t, const char *prompts, const char *answers) {
  const char *wanted_answers = json_string_value(json_object_get(want, "answers"));
  size_t documents = (size_t)json_integer_value(json_object_get(want, "documents"));
  size_t asks = (size_t)json_integer_value(json_object_get(want, "asks"));
  int wrong = 0;
  if (documents != t->documents || asks != t->asks)
    wrong++, print_error("%s: %zu documents, %zu asks; lm-eval has %zu, %zu\n", name, t->documents, t->asks, documents,
                         asks);
  if (strcmp(prompts, json_string_value(json_object_get(want, "prompts"))) != 0) {
    const json_t *first = json_object_get(want, "first");
    size_t i = 0;
    while (i < json_array_size(first) && strcmp(json_string_value(json_array_get(first, i)), t->first[i]) == 0) i++;
    wrong++;
    print_error("%s: other prompts than lm-eval's, from ask %zu%s on\n", name, i, i == FIRST ? " or later" : "");
  }
  if (wanted_answers != NULL && strcmp(answers, wanted_answers) != 0)
    wrong++, print_error("%s: other answers than lm-eval's\n", name);
  return wrong;
}

/* 1 when it differs. */
static int check_case(const json_t *want) {
  const char *name = json_string_value(json_object_get(want, "task"));
  const char *chat = json_string_value(json_object_get(want, "chat"));
  const json_t *stand_in = json_object_get(want, "stand_in");
  char prompts[HEX], answers[HEX], label[100];
  tern_task *task = open_task(name);
  tally t = {.prompts = EVP_MD_CTX_new(), .answers = EVP_MD_CTX_new()};
  EVP_DigestInit_ex(t.prompts, EVP_sha256(), NULL);
  EVP_DigestInit_ex(t.answers, EVP_sha256(), NULL);
  count_task(&t, task, json_is_false(stand_in) ? real : stood_in, want);
  to_hex(t.prompts, prompts);
  to_hex(t.answers, answers);
  EVP_MD_CTX_free(t.prompts);
  EVP_MD_CTX_free(t.answers);
  snprintf(label, sizeof label, "%s, %d shots%s%s%s", name, (int)json_integer_value(json_object_get(want, "shots")),
           json_is_true(stand_in) ? ", stand-ins" : "", chat ? ", chat " : "", chat ? chat : "");
  int wrong = compare(label, want, &t, prompts, answers);
  tern_task_close(task);
  return wrong > 0;
}

static bool is_own(const char *name) {
  return strcmp(name, "openbookqa") == 0 || strcmp(name, "piqa") == 0 || strcmp(name, "social_iqa") == 0;
}

static void run_cases(const char *file, bool own, size_t *run, size_t *without, int *wrong) {
  json_error_t e;
  json_t *root_object = json_load_file(file, 0, &e), *want;
  size_t i;
  assert_non_null(root_object);
  json_array_foreach(json_object_get(root_object, "cases"), i, want) {
    if (is_own(json_string_value(json_object_get(want, "task"))) != own) continue;
    if (json_is_false(json_object_get(want, "stand_in")) && !fetched_shots) {
      ++*without;
      continue;
    }
    *wrong += check_case(want);
    ++*run;
  }
  json_decref(root_object);
}

static void prompts_of_staged_sets_are_lm_evals_byte_for_byte(void **state) {
  size_t run = 0, without = 0;
  int wrong = 0;
  (void)state;
  if (!staged) {
    print_message("no ../shared/data (TERN_SHARED)\n");
    skip();
  }
  run_cases(TERN_FIXTURES "/eval-prompts.json", false, &run, &without, &wrong);
  print_message("%zu cases, %zu left out for want of fetched shots\n", run, without);
  assert_int_equal(wrong, 0);
}

static void prompts_of_sets_in_their_authors_form_are_lm_evals_byte_for_byte(void **state) {
  size_t run = 0, without = 0;
  int wrong = 0;
  (void)state;
  run_cases(TERN_FIXTURES "/eval-prompts.json", true, &run, &without, &wrong);
  assert_int_equal(run, 6);
  assert_int_equal(wrong, 0);
}

static void prompts_for_chats_are_evalplus_own_byte_for_byte(void **state) {
  size_t run = 0, without = 0;
  int wrong = 0;
  (void)state;
  if (!staged) skip();
  run_cases(TERN_FIXTURES "/eval-prompts-evalplus.json", false, &run, &without, &wrong);
  assert_int_equal(run, 1);
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prompts_of_staged_sets_are_lm_evals_byte_for_byte),
      cmocka_unit_test(prompts_for_chats_are_evalplus_own_byte_for_byte),
      cmocka_unit_test(prompts_of_sets_in_their_authors_form_are_lm_evals_byte_for_byte),
  };
  return cmocka_run_group_tests(tests, make_roots, drop_roots);
}
