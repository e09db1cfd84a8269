/* Tables of the world that are broken are refused with file and line, and the
 * parts that the mini set stands on do what they say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/train/mini.h"
#include "engine/train/mini/corpus.h"
#include "engine/train/mini/nearest.h"
#include "engine/train/mini/problem.h"
#include "engine/train/mini/seen.h"
#include "engine/train/mini/text.h"
#include "tests/scratch.h"

static char dir[256];

static int make(void **state) {
  (void)state;
  static const char *const names[] = {"word",
                                      "names",
                                      "things",
                                      "holders",
                                      "choice",
                                      "places",
                                      "pets",
                                      "carried",
                                      "colours",
                                      "passages",
                                      "feelings",
                                      "scripts",
                                      "stories",
                                      "kingdoms/animals",
                                      "kingdoms/objects",
                                      "kingdoms/people",
                                      "kingdoms/plants"};
  scratch_make(dir, sizeof dir);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char name[128];
    snprintf(name, sizeof name, "%s.tsv", names[i]);
    char *text = scratch_read("datasets/mini/world", name);
    assert_non_null(text);
    scratch_file(dir, name, text);
    free(text);
  }
  return 0;
}

static int clean(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

static int write_set(tern_error *e) {
  char to[320];
  snprintf(to, sizeof to, "%s/out", dir);
  return tern_mini_write(to, &(tern_mini_options){.world = dir}, e);
}

#define KINGDOM(name) "members\t" name "\tc,d\te,f\tg,h\ti,j\n"
#define GROUP(a, b) "x,y\t" a "\t" b "\tu" a "\tv" a "\tw" a "\n"

static void a_broken_table_is_refused_with_file_and_line(void **state) {
  (void)state;
  static const struct {
    const char *name, *text, *says;
  } cases[] = {
      {"word.tsv", "has\ttrain\n", "word.tsv: line 1 has 2 fields, 3 are needed"},
      {"word.tsv", "# x\nhas\ttrain\tA.\textra\n", "word.tsv: line 2 has more than 3 fields"},
      {"word.tsv", "has\tvalid\tA.\n", "'train' or 'test', not 'valid'"},
      {"word.tsv", "has\ttrain\tA.\n", "part 'has' has no line for test"},
      {"word.tsv", "# nothing\n", "has no rows"},
      {"word.tsv", "has\ttrain\tA.\r\n", "line 1 has a control character"},
      {"word.tsv", "has\t\tA.\n", "line 1 has an empty field"},
      {"names.tsv", "Tom\nAnn\n", "has 2 rows; 8 to 64 are needed"},
      {"kingdoms/plants.tsv", "members\ta,b\tc,d\te,f\tg,h\n", "needs 4 to 12 groups"},
      {"kingdoms/plants.tsv", KINGDOM("a") GROUP("1", "2") GROUP("3", "4") GROUP("5", "6") GROUP("7", "8"),
       "relation 1 needs two names"},
      {"kingdoms/plants.tsv", KINGDOM("a,b") GROUP("1", "2") GROUP("3", "4") GROUP("5", "2") GROUP("7", "8"),
       "the value '2' comes twice"},
      {"kingdoms/plants.tsv", KINGDOM("a,b") "x\t1\t2\t3\t4\t5\n" GROUP("3", "4") GROUP("5", "6") GROUP("7", "8"),
       "line 2 needs 2 to 8 members"},
      {"scripts.tsv", "a\t1\t2\t3\t4\t5\t6\n", "has 1 rows; 2 to 64 are needed"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_error e = {0};
    char *kept = scratch_read(dir, cases[i].name);
    scratch_file(dir, cases[i].name, cases[i].text);
    assert_int_equal(write_set(&e), TERN_FAILED);
    if (!strstr(e.text, cases[i].says)) fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
    scratch_file(dir, cases[i].name, kept);
    free(kept);
  }
  tern_error e = {0};
  if (write_set(&e)) fail_msg("%s", e.text);
}

/* Slots that no sentence of the part may have are never filled, so no record is found. */
static void a_sentence_with_an_unknown_slot_is_told(void **state) {
  (void)state;
  char *kept = scratch_read(dir, "choice.tsv");
  tern_error e = {0};
  scratch_file(
      dir, "choice.tsv",
      "ask\ttrain\t{z}?\nask\ttest\t{z}?\nback\ttrain\t{v}?\nback\ttest\t{v}?\nstate\ttrain\t{v}.\nstate\ttest\t{v}\n");
  assert_int_equal(write_set(&e), TERN_FAILED);
  assert_non_null(strstr(e.text, "choice"));
  scratch_file(dir, "choice.tsv", kept);
  free(kept);
}

static void sizes_out_of_range_are_refused(void **state) {
  (void)state;
  tern_error e = {0};
  assert_int_equal(tern_mini_write(dir, &(tern_mini_options){.items = -1}, &e), TERN_USAGE);
  assert_int_equal(tern_mini_write(dir, &(tern_mini_options){.shot_tokens = 5}, &e), TERN_USAGE);
}

/* As training makes documents of them: a model is asked what it was taught. */
static void instructions_are_prompts_of_two_lines(void **state) {
  (void)state;
  char path[320];
  tern_error e = {0};
  mini_corpus c;
  scratch_file(dir, "asks.jsonl",
               "{\"instruction\":\"Say it.\",\"input\":\"1 2\",\"output\":\"2\",\"task\":\"tune\"}\n"
               "{\"instruction\":\"Say it.\",\"output\":\"3\"}\n");
  snprintf(path, sizeof path, "%s/asks.jsonl", dir);
  if (mini_corpus_open(&c, path, &e)) fail_msg("%s", e.text);
  assert_int_equal(c.count, 2);
  assert_string_equal(c.item[0].prompt, "Say it.\n1 2\n");
  assert_string_equal(c.item[0].final, "2");
  assert_string_equal(c.item[1].prompt, "Say it.\n");
  mini_corpus_close(&c);
}

static void broken_records_are_named_by_line(void **state) {
  (void)state;
  static const struct {
    const char *line, *says;
  } cases[] = {{"{oops", "line 2 is no JSON object"},
               {"[1]", "line 2 is no JSON object"},
               {"{\"prompt\":\"a\"}", "line 2: \"completion\" is no text"},
               {"{\"instruction\":\"a\"}", "line 2: \"output\" is no text"},
               {"{\"completion\":\"b\",\"choices\":[\"b\",\"c\"],\"answer\":2}", "line 2: \"answer\" is no index"},
               {"{\"completion\":\"b\",\"choices\":[\"b\"],\"answer\":-1}", "line 2: \"answer\" is no index"},
               {"{\"completion\":\"b\",\"choices\":[1,2,3,4,5]}", "line 2: more than four choices"}};
  char path[320], text[256];
  snprintf(path, sizeof path, "%s/bad", dir);
  FILE *to = fopen("/dev/null", "w");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_error e = {0};
    snprintf(text, sizeof text, "{\"prompt\":\"a\",\"completion\":\"b\",\"task\":\"word\"}\n%s\n", cases[i].line);
    scratch_file(dir, "bad/train.jsonl", text);
    assert_int_equal(tern_mini_baselines(path, to, &e), TERN_FAILED);
    if (!strstr(e.text, cases[i].says)) fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
  }
  fclose(to);
}

static void the_nearest_text_has_the_largest_cosine(void **state) {
  (void)state;
  static const char *const texts[] = {"the cat sat", "the dog ran", "the the cat", "a bird"};
  tern_error e = {0};
  mini_index *x;
  double cosine;
  assert_int_equal(mini_index_open(&x, &e), 0);
  for (int i = 0; i < 4; i++) assert_int_equal(mini_index_add(x, texts[i], "", &e), 0);
  assert_int_equal(mini_index_finish(x, &e), 0);
  assert_int_equal(mini_index_find(x, "Cat", "SAT", &cosine), 0);
  double the = log(5.0 / 3), cat = log(5.0 / 2), sat = log(5.0);
  assert_true(fabs(cosine - sqrt(cat * cat + sat * sat) / sqrt(the * the + cat * cat + sat * sat)) < 1e-12);
  assert_int_equal(mini_index_find(x, "the the", "", &cosine), 2);
  assert_int_equal(mini_index_find(x, "fish", "", &cosine), -1);
  mini_index_close(x);
}

static void steps_divide_without_rest_and_stay_within_bounds(void **state) {
  (void)state;
  mini_step s;
  assert_true(mini_step_take(&s, 12, '/', 4));
  assert_int_equal(s.result, 3);
  assert_false(mini_step_take(&s, 13, '/', 4));
  assert_false(mini_step_take(&s, 100, '+', 101));
  assert_false(mini_step_take(&s, 5, '-', 5));
  assert_true(mini_step_take(&s, 100, '+', 100));
}

static void texts_are_equal_without_case_marks_and_spaces(void **state) {
  (void)state;
  mini_seen s = {0};
  assert_int_equal(mini_seen_add(&s, "How many pens?", " 5+3"), 1);
  assert_true(mini_seen_has(&s, "how  many pens", " 5+3"));
  assert_false(mini_seen_has(&s, "how many pens", " 5-3"));
  for (int i = 0; i < 5000; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    assert_int_equal(mini_seen_add(&s, text, ""), 1);
    assert_int_equal(mini_seen_add(&s, text, ""), 0);
  }
  mini_seen_close(&s);
}

static void text_that_does_not_fit_is_marked(void **state) {
  (void)state;
  static mini_text t;
  mini_text_clear(&t);
  for (int i = 0; i < MINI_TEXT / 8 - 1; i++) mini_text_add(&t, "12345678");
  assert_false(t.full);
  mini_text_add(&t, "12345678");
  assert_true(t.full);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_broken_table_is_refused_with_file_and_line),
      cmocka_unit_test(a_sentence_with_an_unknown_slot_is_told),
      cmocka_unit_test(sizes_out_of_range_are_refused),
      cmocka_unit_test(instructions_are_prompts_of_two_lines),
      cmocka_unit_test(broken_records_are_named_by_line),
      cmocka_unit_test(the_nearest_text_has_the_largest_cosine),
      cmocka_unit_test(steps_divide_without_rest_and_stay_within_bounds),
      cmocka_unit_test(texts_are_equal_without_case_marks_and_spaces),
      cmocka_unit_test(text_that_does_not_fit_is_marked),
  };
  return cmocka_run_group_tests(tests, make, clean);
}
