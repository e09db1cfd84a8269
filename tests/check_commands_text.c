/* The commands that make text, as their users run them: run, chat, perplexity
 * and embed with a trained model (../shared, skipped where absent). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "harness/perplexity.h"
#include "tests/program.h"
#include "tests/stories.h"

static char model[320], file[320];

static int setup(void **state) {
  program_setup(state);
  snprintf(model, sizeof model, "%s/model.gguf", program_dir);
  if (stories_shared("models/stories260K.bin") == NULL) return 0;
  return stories_convert("models/stories260K.bin", model);
}

static void need_model(void) {
  if (access(model, R_OK) != 0) skip();
}

static const char *file_in_folder(const char *name) {
  static char path[400];
  snprintf(path, sizeof path, "%s/%s", program_dir, name);
  return path;
}

/* A file of the folder; the text stands until the next call with that slot. */
static const char *content(const char *name, int slot) {
  static char *texts[4];
  tern_error e = {0};
  size_t size;
  free(texts[slot]);
  texts[slot] = tern_file_read(file_in_folder(name), 1 << 24, &size, &e);
  if (texts[slot] == NULL) fail_msg("%s", e.text);
  return texts[slot];
}

static const char *text_of(int slot, const char *const *args) {
  program_expect(0, args);
  return content("out", slot);
}

static void put_file(const char *name, const char *text) {
  FILE *f = fopen(file_in_folder(name), "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

/* The program starts with that file, or that descriptor, as its input. */
static pid_t start_with(int input, const char *const *args) {
  int old = dup(STDIN_FILENO);
  dup2(input, STDIN_FILENO);
  pid_t pid = program_start(args);
  dup2(old, STDIN_FILENO);
  close(old);
  return pid;
}

static void expect_with_input(int code, const char *text, const char *const *args) {
  put_file("in", text);
  int fd = open(file_in_folder("in"), O_RDONLY | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(program_finish(start_with(fd, args)), code);
  close(fd);
}

static void wait_for_bytes(const char *name, off_t least) {
  const char *path = file_in_folder(name);
  struct stat st;
  for (int i = 0; i < 60000; i++) {
    if (stat(path, &st) == 0 && st.st_size >= least) return;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  fail_msg("%s stays empty", name);
}

static void a_saved_session_goes_on_as_if_never_stopped(void **state) {
  (void)state;
  need_model();
  static const char *const samplings[] = {"0", "0.9"};
  for (int i = 0; i < 2; i++) {
    const char *t = samplings[i], *whole, *first, *second;
    char joined[4096];
    snprintf(file, sizeof file, "%s/session%d", program_dir, i);
    whole = text_of(0, ARGS("run", model, "-p", "One day", "-n", "50", "--temp", t, "--repeat-penalty", "1.1"));
    first = text_of(
        1, ARGS("run", model, "-p", "One day", "-n", "20", "--temp", t, "--repeat-penalty", "1.1", "--session", file));
    second = text_of(2, ARGS("run", model, "-n", "30", "--temp", t, "--repeat-penalty", "1.1", "--session", file));
    snprintf(joined, sizeof joined, "%.*s%s", (int)strlen(first) - 1, first, second); /* each run ends its line */
    assert_string_equal(joined, whole);
    program_says("err", "tokens were in the session");
  }
  put_file("session1", "no session at all, but long enough for a header to be read from it, and then some");
  program_expect(1, ARGS("run", model, "--session", file));
  program_says("err", "not a session file");
}

static void an_interrupted_run_keeps_text_and_session(void **state) {
  (void)state;
  need_model();
  char joined[8192];
  snprintf(file, sizeof file, "%s/session", program_dir);
  const char *whole = text_of(0, ARGS("run", model, "-n", "200", "--isa", "scalar"));
  unlink(file_in_folder("out")); /* of the run before */
  pid_t pid = program_start(ARGS("run", model, "-n", "200", "--isa", "scalar", "-t", "1", "--session", file));
  wait_for_bytes("out", 1);
  kill(pid, SIGINT);
  assert_int_equal(program_finish(pid), 130);
  program_says("err", "interrupted");
  const char *first = content("out", 1);
  int rest = (int)strlen(whole) - (int)strlen(first);
  assert_true(rest > 0);
  const char *second = text_of(2, ARGS("run", model, "-n", "200", "--session", file));
  snprintf(joined, sizeof joined, "%.*s%s", (int)strlen(first) - 1, first, second);
  assert_memory_equal(joined, whole, strlen(whole) - 1);
}

static void limits_are_told_before_they_bite(void **state) {
  (void)state;
  need_model();
  program_expect(0, ARGS("run", model, "-p", "Once", "-n", "600"));
  program_says("err", "the context of 512 positions ends after 511 of the 600 tokens asked for");
  program_expect(0, ARGS("run", model, "-p", "Once", "-n", "20", "-c", "8"));
  program_says("err", "of 8 positions ends after 7 of the 20 tokens asked for; raise --context");
  program_says("err", "the context is full");
  program_expect(1, ARGS("run", model, "-p", "Once upon a time there was", "-c", "3"));
  program_says("err", "tokens, the context 3 positions: shorten it or raise --context");
  program_expect(1, ARGS("run", model, "-c", "513"));
  program_says("err", "--context 513 is more than the model's 512 positions");
}

static void choices_are_options(void **state) {
  (void)state;
  need_model();
  const char *whole = text_of(0, ARGS("run", model, "-n", "60"));
  const char *stopped = text_of(1, ARGS("run", model, "-n", "60", "--stop", "Nobody", "--stop", "little girl"));
  assert_memory_equal(stopped, whole, strlen(stopped) - 1);
  assert_int_equal(strlen(stopped) - 1, strstr(whole, "little girl") - whole);
  program_says("err", "a stop string");
  const char *banned = text_of(2, ARGS("run", model, "-n", "60", "--logit-bias", "403-inf", "--head", "exact"));
  const char *full = text_of(3, ARGS("run", model, "-n", "60", "--logit-bias", "403-inf"));
  assert_string_not_equal(banned, whole); /* 403 is its first token */
  assert_string_equal(banned, full);
  program_expect(2, ARGS("run", model, "--logit-bias", "512+1"));
  program_says("err", "token id 512, which is outside the vocabulary of 512");
  program_expect(2, ARGS("run", model, "--logit-bias", "5"));
  program_expect(2, ARGS("run", model, "--logit-bias", "5+inf"));
  program_expect(2, ARGS("run", model, "--logit-bias", "\"Once upon a time\"-1"));
  program_says("err", "not one; see ternmark tokenize");
  program_expect(2, ARGS("run", model, "--repeat-penalty", "0"));
  program_expect(1, ARGS("run", model, "--chat", "-p", "Hello"));
  program_says("err", "--template");
}

#define CHAT "chat", model, "--template", "chatml", "-t", "1"

static void a_conversation_is_kept_and_goes_on(void **state) {
  (void)state;
  need_model();
  expect_with_input(0, "Hello\nTell me more\n", ARGS(CHAT, "-n", "12"));
  char whole[4096];
  snprintf(whole, sizeof whole, "%s", content("out", 0));
  expect_with_input(0, "Hello\n/save talk.json\n/reset\n/load talk.json\nTell me more\n", ARGS(CHAT, "-n", "12"));
  assert_string_equal(content("out", 0), whole);
  program_says("err", "loaded 2 messages from talk.json");
  expect_with_input(0, "Tell me more\n", ARGS(CHAT, "-n", "12", "--load", "talk.json"));
  const char *second = content("out", 0);
  assert_string_equal(whole + strlen(whole) - strlen(second), second);
  assert_int_equal(unlink(file_in_folder("talk.json.kv")), 0);
  expect_with_input(0, "Tell me more\n", ARGS(CHAT, "-n", "12", "--load", "talk.json"));
  assert_string_equal(whole + strlen(whole) - strlen(content("out", 0)), content("out", 0));
  program_says("err", "the conversation is read again");
}

static void wrong_lines_end_nothing(void **state) {
  (void)state;
  need_model();
  put_file("broken.json", "{\"ternmark_chat\": 1, \"messages\": [{\"role\": \"robot\", \"content\": \"x\"}]}");
  expect_with_input(0, "/nonsense\n/save\n/load missing.json\n/load broken.json\n/help\n\nHello\n/exit\nnever read\n",
                    ARGS(CHAT, "-n", "5"));
  program_says("err", "no command /nonsense; /help lists them");
  program_says("err", "/save wants a file name");
  program_says("err", "missing.json");
  program_says("err", "message 1 has no role and content");
  program_says("err", "forget the conversation");
  assert_int_equal(program_count_lines("out") >= 1, 1);
  expect_with_input(0, "Hello\n", ARGS(CHAT, "-c", "12"));
  program_says("err", "the context 12 positions: /reset");
}

static void ctrl_c_stops_the_answer_and_not_the_program(void **state) {
  (void)state;
  need_model();
  int ends[2];
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  pid_t pid = start_with(ends[0], ARGS(CHAT, "--isa", "scalar"));
  close(ends[0]);
  assert_int_equal(write(ends[1], "Hello\n", 6), 6);
  wait_for_bytes("out", 1);
  kill(pid, SIGINT);
  assert_int_equal(write(ends[1], "/save talk.json\n", 16), 16);
  close(ends[1]);
  int code = program_finish(pid);
  if (code == 130) skip(); /* the answer was through before the signal came: the prompt of a pipe ends */
  assert_int_equal(code, 0);
  program_says("err", "saved 2 messages in talk.json");
}

static double likelihood(const char *const *args, int of, const char *key) {
  program_expect(0, args);
  json_t *root = program_json("out");
  double value = json_number_value(json_object_get(json_array_get(json_object_get(root, "results"), (size_t)of), key));
  json_decref(root);
  return value;
}

static void perplexity_does_not_depend_on_batching(void **state) {
  (void)state;
  need_model();
  char text[3000] = "";
  while (strlen(text) < 2900) strcat(text, "Tom had a red ball. He liked to play, and his dog did too.\n");
  put_file("text", text);
#define PPL "perplexity", model, "-f", "text", "--json", "-c", "64", "--definition", "both"
  double chunks = likelihood(ARGS(PPL), 0, "log_likelihood"), rolling = likelihood(ARGS(PPL), 1, "log_likelihood");
  assert_true(likelihood(ARGS(PPL, "--parallel", "1", "--batch", "7"), 0, "log_likelihood") == chunks);
  assert_true(likelihood(ARGS(PPL, "--parallel", "9", "--batch", "200", "-t", "3"), 1, "log_likelihood") == rolling);
  double tokens = likelihood(ARGS(PPL), 1, "tokens"), windows = likelihood(ARGS(PPL), 0, "windows");
  assert_true(likelihood(ARGS(PPL), 1, "scored") == tokens);
  assert_true(windows == floor((tokens + 1) / 64)); /* with BOS */
  assert_true(likelihood(ARGS(PPL), 0, "scored") == windows * (64 - 1 - 32));
  double bytes = likelihood(ARGS(PPL), 1, "byte_perplexity"), bits = likelihood(ARGS(PPL), 1, "bits_per_byte");
  assert_true(fabs(log(bytes) / log(2) - bits) < 1e-9 && fabs(exp(-rolling / (double)strlen(text)) - bytes) < 1e-9);
  double words = likelihood(ARGS(PPL), 1, "words");
  assert_true(words == (double)tern_count_words(text, strlen(text)));
  put_file("short", "Tom had a red ball.");
  program_expect(1, ARGS("perplexity", model, "-f", "short"));
  program_says("err", "need at least 1024: give more text or a smaller --context");
  program_expect(2, ARGS("perplexity", model));
}

static void words_are_counted_as_python_does(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int words;
  } cases[] = {{"", 1},
               {"a", 1},
               {" a", 2},
               {"a b\n", 3},
               {"a\xc2\xa0"
                "b",
                2},
               {"a \t\n b", 2},
               {"\xe3\x80\x80", 2},
               {"\xe2\x80\x8b", 1},
               {"\x1c", 2},
               {"a\xe2\x80", 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(tern_count_words(cases[i].text, strlen(cases[i].text)), cases[i].words);
}

static void embeddings_have_length_one_and_alike_texts_are_close(void **state) {
  (void)state;
  need_model();
  program_expect(2, ARGS("embed", model, "-p", "a"));
  program_says("err", "choose --pooling mean, cls or last");
  expect_with_input(0, "The cat sat on the mat.\nThe cat sat on the bed.\nOnce upon a time\n",
                    ARGS("embed", model, "--pooling", "mean"));
  json_t *root = program_json("out"), *rows = json_object_get(root, "embeddings");
  assert_int_equal(json_array_size(rows), 3);
  double sums[3] = {0};
  for (size_t i = 0; i < 3; i++) {
    size_t k;
    json_t *x;
    json_array_foreach(json_array_get(rows, i), k, x) {
      sums[i] += json_real_value(x) * json_real_value(x);
    }
    assert_true(fabs(sums[i] - 1) < 1e-5);
  }
  json_decref(root);
  program_expect(0, ARGS("embed", model, "--pooling", "mean", "-p", "The cat sat on the mat.", "-p",
                         "The cat sat on the bed.", "-p", "Once upon a time", "--similarity", "--format", "csv"));
  double a, b, c;
  assert_int_equal(sscanf(content("out", 0), "1,%lf,%lf,%lf", &a, &b, &c), 3);
  assert_true(fabs(a - 1) < 1e-5 && b > c);
  program_expect(1, ARGS("embed", model, "--pooling", "last", "-c", "4", "-p", "a long text of many words"));
  program_says("err", "text 1 has");
}

int main(int argc, char **argv) {
  if (argc < 2 || program_find(argv[1]) != 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_saved_session_goes_on_as_if_never_stopped, setup, program_teardown),
      cmocka_unit_test_setup_teardown(an_interrupted_run_keeps_text_and_session, setup, program_teardown),
      cmocka_unit_test_setup_teardown(limits_are_told_before_they_bite, setup, program_teardown),
      cmocka_unit_test_setup_teardown(choices_are_options, setup, program_teardown),
      cmocka_unit_test_setup_teardown(a_conversation_is_kept_and_goes_on, setup, program_teardown),
      cmocka_unit_test_setup_teardown(wrong_lines_end_nothing, setup, program_teardown),
      cmocka_unit_test_setup_teardown(ctrl_c_stops_the_answer_and_not_the_program, setup, program_teardown),
      cmocka_unit_test_setup_teardown(perplexity_does_not_depend_on_batching, setup, program_teardown),
      cmocka_unit_test_setup_teardown(words_are_counted_as_python_does, setup, program_teardown),
      cmocka_unit_test_setup_teardown(embeddings_have_length_one_and_alike_texts_are_close, setup, program_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
