/* Metrics: the verdicts and figures that lm-eval's own functions gave for the
 * same answers, log-likelihoods and items (fixtures/eval-metrics.json). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/aggregate.h"
#include "harness/eval/choice.h"
#include "harness/eval/exact.h"
#include "harness/eval/filter.h"
#include "tests/eval_fixture.h"

enum { MOST = 2048, MOST_REFERENCES = 4 };

static json_t *root;

static double number(const json_t *value) {
  return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

static void near(double have, const json_t *want) {
  assert_non_null(want);
  double w = number(want);
  if (!(fabs(have - w) <= 1e-14 * fabs(w))) fail_msg("%.17g is not %.17g", have, w);
}

static size_t numbers(const json_t *list, double *out) {
  size_t n = json_array_size(list);
  assert_in_range(n, 1, MOST);
  for (size_t i = 0; i < n; i++) out[i] = number(json_array_get(list, i));
  return n;
}

static void filters_extract_what_lm_eval_s_extract(void **state) {
  (void)state;
  json_t *row, *pair;
  size_t i, j, seen = 0;
  json_array_foreach(json_object_get(root, "filters"), i, row) {
    tern_filters *f = NULL;
    tern_error e = {0};
    const char *name = json_string_value(json_object_get(row, "name"));
    if (tern_filters_open(&f, json_object_get(row, "filters"), name, &e) != 0) fail_msg("%s", e.text);
    json_array_foreach(json_object_get(row, "out"), j, pair) {
      const char *text = json_string_value(json_array_get(pair, 0)), *want = json_string_value(json_array_get(pair, 1));
      char *have = tern_filters_apply(f, text, &e);
      if (have == NULL) fail_msg("%s", e.text);
      if (strcmp(have, want) != 0) fail_msg("%s: \"%s\" gives \"%s\", not \"%s\"", name, text, have, want);
      free(have);
      seen++;
    }
    tern_filters_close(f);
  }
  assert_int_equal(seen, 8 * 17);
}

static void exact_match_agrees_for_the_rules_of_gsm8k_and_triviaqa(void **state) {
  (void)state;
  json_t *row;
  size_t i;
  int same_ones = 0;
  json_array_foreach(json_object_get(root, "exact"), i, row) {
    tern_exact *x = NULL;
    tern_error e = {0};
    bool same;
    const char *references[MOST_REFERENCES];
    const char *answer = json_string_value(json_object_get(row, "answer"));
    const json_t *list = json_object_get(row, "references");
    size_t n = json_array_size(list);
    assert_in_range(n, 1, MOST_REFERENCES);
    for (size_t j = 0; j < n; j++) references[j] = json_string_value(json_array_get(list, j));
    if (tern_exact_open(&x, json_object_get(row, "params"), "test", &e) != 0) fail_msg("%s", e.text);
    assert_int_equal(tern_exact_match(x, answer, references, n, &same, &e), 0);
    if (same != json_is_true(json_object_get(row, "same"))) fail_msg("%s | %s", answer, references[n - 1]);
    same_ones += same;
    tern_exact_close(x);
  }
  assert_in_range(same_ones, 5, json_array_size(json_object_get(root, "exact")) - 5);
}

static void choices_are_argmax_by_sum_characters_and_bytes(void **state) {
  (void)state;
  static const char *const names[] = {
      [TERN_BY_SUM] = "best", [TERN_BY_CHARACTERS] = "characters", [TERN_BY_BYTES] = "bytes"};
  json_t *row;
  size_t i, differ = 0;
  json_array_foreach(json_object_get(root, "choices"), i, row) {
    tern_choice choices[8];
    double lls[MOST];
    size_t n = numbers(json_object_get(row, "lls"), lls), best[3];
    for (size_t j = 0; j < n; j++)
      choices[j] = (tern_choice){json_string_value(json_array_get(json_object_get(row, "texts"), j)), lls[j]};
    for (int by = 0; by < 3; by++) {
      best[by] = tern_choice_best(choices, n, (tern_choice_by)by);
      assert_int_equal(best[by], json_integer_value(json_object_get(row, names[by])));
    }
    differ += best[TERN_BY_CHARACTERS] != best[TERN_BY_BYTES];
  }
  assert_true(differ > 0);
}

static void mc2_is_the_true_choices_share(void **state) {
  (void)state;
  json_t *row;
  size_t i;
  json_array_foreach(json_object_get(root, "mc2"), i, row) {
    tern_choice choices[MOST] = {0};
    double lls[MOST], labels[MOST];
    bool truth[MOST];
    size_t n = numbers(json_object_get(row, "lls"), lls);
    assert_int_equal(numbers(json_object_get(row, "labels"), labels), n);
    for (size_t j = 0; j < n; j++) {
      choices[j].logprob = lls[j];
      truth[j] = labels[j] == 1;
    }
    near(tern_choice_mass(choices, truth, n), json_object_get(row, "mass"));
  }
  assert_int_equal(i, 6);
}

static void means_and_standard_errors_agree_to_the_last_digits(void **state) {
  (void)state;
  json_t *row;
  size_t i;
  double v[MOST];
  json_array_foreach(json_object_get(root, "means"), i, row) {
    size_t n = numbers(json_object_get(row, "values"), v);
    near(tern_eval_mean(v, n), json_object_get(row, "mean"));
    near(tern_eval_stderr(v, n), json_object_get(row, "stderr"));
  }
  assert_int_equal(i, 5);
  assert_true(isnan(tern_eval_stderr(v, 1)) && isnan(tern_eval_mean(v, 0)));
}

static void groups_are_weighted_and_pooled_by_size(void **state) {
  (void)state;
  json_t *row;
  size_t i;
  json_array_foreach(json_object_get(root, "groups"), i, row) {
    double means[MOST], stderrs[MOST], sizes_read[MOST];
    size_t sizes[MOST], n = numbers(json_object_get(row, "sizes"), sizes_read);
    for (size_t j = 0; j < n; j++) sizes[j] = (size_t)sizes_read[j];
    numbers(json_object_get(row, "means"), means);
    numbers(json_object_get(row, "stderrs"), stderrs);
    near(tern_group_mean(means, sizes, n), json_object_get(row, "mean"));
    near(tern_group_stderr(stderrs, sizes, n), json_object_get(row, "stderr"));
    near(tern_group_stderr_plain(stderrs, n), json_object_get(row, "plain"));
  }
  assert_int_equal(i, 3);
}

static void f1_and_its_bootstrap_are_drawn_as_there(void **state) {
  (void)state;
  json_t *row, *pair;
  size_t i, j, bootstraps = 0;
  json_array_foreach(json_object_get(root, "f1"), i, row) {
    tern_verdict v[MOST];
    const json_t *list = json_object_get(row, "verdicts");
    size_t n = json_array_size(list);
    for (j = 0; j < n; j++) {
      const json_t *one = json_array_get(list, j);
      v[j] = (tern_verdict){(int)number(json_array_get(one, 0)), (int)number(json_array_get(one, 1))};
    }
    near(tern_eval_f1(v, n), json_object_get(row, "f1"));
    json_array_foreach(json_object_get(row, "stderr"), j, pair) {
      tern_error e = {0};
      double have;
      assert_int_equal(tern_eval_f1_stderr(v, n, (size_t)number(json_array_get(pair, 0)), &have, &e), 0);
      near(have, json_array_get(pair, 1));
      bootstraps++;
    }
  }
  assert_int_equal(bootstraps, 6);
}

static void perplexities_weigh_documents_by_their_units(void **state) {
  (void)state;
  const json_t *row = json_array_get(json_object_get(root, "perplexity"), 0);
  double logprobs[MOST], words[MOST], sum = 0, units = 0;
  size_t n = numbers(json_object_get(row, "logprobs"), logprobs);
  numbers(json_object_get(row, "words"), words);
  for (size_t i = 0; i < n; i++) sum += logprobs[i], units += words[i];
  near(tern_eval_perplexity(sum, units), json_object_get(row, "word_perplexity"));
  near(tern_eval_bits_per_byte(sum, units), json_object_get(row, "bits"));
}

static void unknown_filters_and_parameters_are_refused_with_their_place(void **state) {
  (void)state;
  static const struct {
    const char *list, *says;
  } bad[] = {
      {"[{\"function\":\"uppercase\"}]", "t.json: unknown filter \"uppercase\"; there are regex, "},
      {"[{}]", "t.json: unknown filter \"\"; there are "},
      {"{}", "t.json: a list of filters was expected"},
      {"[{\"function\":\"regex\",\"group\":1}]", "t.json: regex: "},
      {"[{\"function\":\"regex\",\"regex_pattern\":\"(\"}]", "t.json: \"(\" is no regular expression: "},
      {"[{\"function\":\"take_first\",\"k\":1}]", "t.json: take_first takes no parameters"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    tern_filters *f = NULL;
    tern_error e = {0};
    json_t *list = json_loads(bad[i].list, 0, NULL);
    assert_int_equal(tern_filters_open(&f, list, "t.json", &e), TERN_FAILED);
    if (strncmp(e.text, bad[i].says, strlen(bad[i].says)) != 0) fail_msg("%s", e.text);
    json_decref(list);
  }
  tern_exact *x = NULL;
  tern_error e = {0};
  json_t *params = json_pack("{s:[i]}", "regexes_to_ignore", 3);
  assert_int_equal(tern_exact_open(&x, params, "t.json", &e), TERN_FAILED);
  assert_string_equal(e.text, "t.json: regexes_to_ignore: text was expected");
  json_decref(params);
}

static int open_fixture(void **state) {
  (void)state;
  root = fixture_open("eval-metrics.json");
  return 0;
}

static int close_fixture(void **state) {
  (void)state;
  json_decref(root);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(filters_extract_what_lm_eval_s_extract),
      cmocka_unit_test(exact_match_agrees_for_the_rules_of_gsm8k_and_triviaqa),
      cmocka_unit_test(choices_are_argmax_by_sum_characters_and_bytes),
      cmocka_unit_test(mc2_is_the_true_choices_share),
      cmocka_unit_test(means_and_standard_errors_agree_to_the_last_digits),
      cmocka_unit_test(groups_are_weighted_and_pooled_by_size),
      cmocka_unit_test(f1_and_its_bootstrap_are_drawn_as_there),
      cmocka_unit_test(perplexities_weigh_documents_by_their_units),
      cmocka_unit_test(unknown_filters_and_parameters_are_refused_with_their_place),
  };
  return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
