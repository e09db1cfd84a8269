/* IFEval's verdicts are lm-eval's, strict and loose, over responses of our own
 * for each instruction; sentences, words and case are NLTK's and Python's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <utf8proc.h>

#include "harness/eval/document.h"
#include "harness/eval/ifeval.h"
#include "harness/eval/ifeval_rules.h"
#include "harness/eval/python_text.h"
#include "harness/eval/sandbox_python.h"
#include "harness/eval/score.h"
#include "tests/eval_fixture.h"

static tern_punkt *open_tables(void) {
  tern_punkt *p = NULL;
  tern_error e = {0};
  if (tern_punkt_open(&p, TERN_FIXTURES "/eval-punkt", &e) != 0) fail_msg("%s", e.text);
  return p;
}

static const char *known(void *arg, const char *text) {
  return json_string_value(json_object_get((const json_t *)arg, text));
}

static void instructions_are_followed_where_lm_eval_says_so(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-ifeval.json"), *item;
  tern_punkt *p = open_tables();
  size_t i;
  assert_true(json_array_size(json_object_get(root, "items")) > 250);
  json_array_foreach(json_object_get(root, "items"), i, item) {
    const json_t *row =
        json_array_get(json_object_get(root, "rows"), (size_t)json_integer_value(json_object_get(item, "row")));
    const char *response = json_string_value(json_object_get(item, "response"));
    const tern_ifeval_tools tools = {p, known, json_object_get(item, "languages")};
    tern_followed strict, loose;
    tern_error e = {0};
    if (tern_ifeval_check(row, response, &tools, &strict, &loose, &e) != 0) fail_msg("%s", e.text);
    bool want_strict = json_is_true(json_object_get(item, "strict")),
         want_loose = json_is_true(json_object_get(item, "loose"));
    if (strict != (tern_followed)want_strict || loose != (tern_followed)want_loose)
      fail_msg("%s: strict %d, loose %d of \"%s\"",
               json_string_value(json_array_get(json_object_get(row, "instruction_id_list"), 0)), strict, loose,
               response);
  }
  tern_punkt_close(p);
  json_decref(root);
}

static void append(void *arg, const char *token) {
  json_array_append_new(arg, json_string(token));
}

static void assert_lists(const json_t *have, const json_t *want, const char *text) {
  char *told = json_dumps(have, 0);
  if (!json_equal(have, want)) fail_msg("\"%s\" became %s", text, told);
  free(told);
}

static void sentences_and_words_are_those_of_nltk(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-ifeval.json"), *item;
  tern_punkt *p = open_tables();
  size_t i;
  json_array_foreach(json_object_get(root, "sentences"), i, item) {
    const char *text = json_string_value(json_object_get(item, "text"));
    json_t *sentences = json_array(), *words = json_array();
    tern_punkt_span *list = NULL;
    tern_error e = {0};
    size_t count;
    assert_int_equal(tern_punkt_sentences(p, text, &list, &count, &e), 0);
    for (size_t j = 0; j < count; j++)
      json_array_append_new(sentences, json_stringn(text + list[j].from, list[j].to - list[j].from));
    assert_int_equal(tern_ifeval_tokens(p, text, append, words, &e), 0);
    assert_lists(sentences, json_object_get(item, "sentences"), text);
    assert_lists(words, json_object_get(item, "words"), text);
    free(list);
    json_decref(sentences);
    json_decref(words);
  }
  tern_punkt_close(p);
  json_decref(root);
}

/* Six letters are newer than CPython 3.11's Unicode. */
static void every_character_has_the_case_that_python_gives_it(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-ifeval.json");
  EVP_MD_CTX *hash = EVP_MD_CTX_new();
  unsigned char sum[EVP_MAX_MD_SIZE];
  char text[2 * EVP_MAX_MD_SIZE + 1];
  unsigned size = 0;
  EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
  for (int32_t c = 1; c < 0x110000; c++) {
    char one[8] = "";
    if ((c >= 0xd800 && c < 0xe000) || (c >= 0x1df25 && c <= 0x1df2a)) continue;
    utf8proc_encode_char(c, (utf8proc_uint8_t *)one);
    unsigned char flags =
        (unsigned char)(tern_python_is_upper(one) | tern_python_is_lower(one) << 1 | tern_python_is_space(c) << 2);
    EVP_DigestUpdate(hash, &flags, 1);
  }
  EVP_DigestFinal_ex(hash, sum, &size);
  for (unsigned i = 0; i < size; i++) snprintf(text + 2 * (size_t)i, 3, "%02x", sum[i]);
  assert_string_equal(text, json_string_value(json_object_get(root, "case_sha256")));
  EVP_MD_CTX_free(hash);
  json_decref(root);
}

static const char *untold(void *arg, const char *text) {
  (void)arg;
  (void)text;
  return NULL;
}

static void what_cannot_be_told_is_unknown_and_not_false(void **state) {
  (void)state;
  json_t *row =
      json_pack("{s:[s,s,s,s], s:[{s:i,s:s},{s:s},{},{}]}", "instruction_id_list",
                "length_constraints:number_sentences", "language:response_language", "change_case:english_lowercase",
                "punctuation:no_comma", "kwargs", "num_sentences", 2, "relation", "at least", "language", "de");
  const tern_ifeval_tools none = {NULL, untold, NULL};
  tern_followed strict[4], loose[4];
  tern_error e = {0};
  assert_int_equal(tern_ifeval_check(row, "One. Two, three.", &none, strict, loose, &e), 0);
  assert_int_equal(strict[0], TERN_FOLLOWED_UNKNOWN);
  assert_int_equal(strict[1], TERN_FOLLOWED_UNKNOWN);
  assert_int_equal(strict[2], TERN_NOT_FOLLOWED); /* a capital letter decides it alone */
  assert_int_equal(strict[3], TERN_NOT_FOLLOWED);
  assert_int_equal(loose[0], TERN_FOLLOWED_UNKNOWN);
  assert_int_equal(tern_ifeval_check(row, " \n", &none, strict, loose, &e), 0);
  assert_int_equal(strict[0], TERN_NOT_FOLLOWED); /* an empty response follows nothing */
  json_decref(row);
}

static void rows_that_cannot_be_are_refused_by_name(void **state) {
  (void)state;
  static const struct {
    const char *row, *told;
  } bad[] = {
      {"{}", "two lists of one length"},
      {"{\"instruction_id_list\": [\"a:b\"], \"kwargs\": [{}]}", "\"a:b\""},
      {"{\"instruction_id_list\": [\"startend:quotation\"], \"kwargs\": [1]}", "an object"},
      {"{\"instruction_id_list\": [\"startend:quotation\"], \"kwargs\": []}", "one length"},
      {"{\"instruction_id_list\": [\"keywords:existence\"], \"kwargs\": [{}]}", "keywords: a list of texts"},
      {"{\"instruction_id_list\": [\"keywords:existence\"], \"kwargs\": [{\"keywords\": [\"(\"]}]}",
       "regular expression"},
      {"{\"instruction_id_list\": [\"keywords:frequency\"], \"kwargs\": [{\"keyword\": \"a\", \"frequency\": 0, "
       "\"relation\": \"at least\"}]}",
       "frequency: a whole number above 0"},
      {"{\"instruction_id_list\": [\"keywords:frequency\"], \"kwargs\": [{\"keyword\": \"a\", \"frequency\": 1, "
       "\"relation\": \"more\"}]}",
       "\"less than\" or \"at least\""},
      {"{\"instruction_id_list\": [\"keywords:letter_frequency\"], \"kwargs\": [{\"letter\": \"ab\"}]}", "letter: one"},
      {"{\"instruction_id_list\": [\"startend:end_checker\"], \"kwargs\": [{\"end_phrase\": 3}]}", "end_phrase: text"},
  };
  const tern_ifeval_tools none = {NULL, untold, NULL};
  tern_followed verdict;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    json_t *row = json_loads(bad[i].row, 0, NULL);
    tern_error e = {0};
    assert_non_null(row);
    assert_int_not_equal(tern_ifeval_check(row, "A text.", &none, &verdict, &verdict, &e), 0);
    if (strstr(e.text, bad[i].told) == NULL) fail_msg("%s: \"%s\"", bad[i].row, e.text);
    json_decref(row);
  }
}

static void tables_that_are_broken_are_named(void **state) {
  (void)state;
  tern_punkt *p;
  tern_error e = {0};
  assert_int_not_equal(tern_punkt_open(&p, TERN_FIXTURES "/no-such-folder", &e), 0);
  assert_null(p);
  assert_non_null(strstr(e.text, "no-such-folder/abbrev_types.txt"));
}

/* Without langdetect what hangs on a language has no figure, and the facts say so. */
static void assert_figures(const tern_scored *item, const json_t *want, bool told) {
  const char *const names[][2] = {{"prompt_level_strict_acc", "strict"}, {"prompt_level_loose_acc", "loose"}};
  for (size_t i = 0; i < 2; i++) {
    const json_t *have = json_object_get(item->figures, names[i][0]);
    if (have == NULL && told) fail_msg("\"%s\" has no %s", item->filtered, names[i][0]);
    if (have != NULL && json_is_true(have) != json_is_true(json_object_get(want, names[i][1])))
      fail_msg("\"%s\": %s is %d", item->filtered, names[i][0], json_is_true(have));
  }
}

static void languages_are_told_by_langdetect_in_the_sandbox(void **state) {
  (void)state;
  tern_sandbox *s = NULL;
  tern_error e = {0};
  if (tern_sandbox_open_python(&s, 2, &e) != 0) {
    print_message("skipped: %s\n", e.text);
    skip();
  }
  json_t *root = fixture_open("eval-ifeval.json"), *all = json_object_get(root, "items"), *item, *facts = json_object();
  tern_scored *items = calloc(json_array_size(all), sizeof *items);
  json_t **wanted = calloc(json_array_size(all), sizeof *wanted);
  tern_document none = {0};
  size_t count = 0, i;
  json_array_foreach(all, i, item) {
    if (json_object_get(item, "languages") == NULL) continue;
    wanted[count] = item;
    items[count++] = (tern_scored){
        .document = &none,
        .row = json_array_get(json_object_get(root, "rows"), (size_t)json_integer_value(json_object_get(item, "row"))),
        .filtered = json_string_value(json_object_get(item, "response")),
        .figures = json_object(),
        .facts = json_object()};
  }
  assert_true(count > 30);
  const tern_score_call call = {.sandbox = s, .facts = facts};
  if (tern_metric_find("ifeval")->score(&call, items, count, &e) != 0) fail_msg("%s", e.text);
  const char *version = json_string_value(json_object_get(facts, "langdetect"));
  assert_non_null(version);
  for (i = 0; i < count; i++) {
    assert_figures(&items[i], wanted[i], strncmp(version, "not there", 9) != 0);
    json_decref(items[i].figures);
    json_decref(items[i].facts);
  }
  free(items);
  free(wanted);
  json_decref(facts);
  json_decref(root);
  tern_sandbox_close(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(instructions_are_followed_where_lm_eval_says_so),
      cmocka_unit_test(sentences_and_words_are_those_of_nltk),
      cmocka_unit_test(every_character_has_the_case_that_python_gives_it),
      cmocka_unit_test(what_cannot_be_told_is_unknown_and_not_false),
      cmocka_unit_test(rows_that_cannot_be_are_refused_by_name),
      cmocka_unit_test(tables_that_are_broken_are_named),
      cmocka_unit_test(languages_are_told_by_langdetect_in_the_sandbox),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
