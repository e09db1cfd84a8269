/* Few-shot examples: the rows that lm-eval's own samplers chose, document after
 * document, also where the pool holds the document or copies of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/shots.h"
#include "tests/eval_fixture.h"
#include "tests/scratch.h"

enum { MOST = 16 };

/* A set written as a file and read back, as a run has it. */
static tern_rows *rows_of(const json_t *list) {
  char dir[256], path[512], *text = json_dumps(list, JSON_COMPACT);
  tern_rows *rows = NULL;
  tern_error e = {0};
  scratch_make(dir, sizeof dir);
  scratch_file(dir, "pool.json", text);
  snprintf(path, sizeof path, "%s/pool.json", dir);
  if (tern_rows_read(&rows, path, &e) != 0) fail_msg("%s", e.text);
  scratch_remove(dir);
  free(text);
  return rows;
}

static void shots_are_those_of_lm_eval_document_after_document(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-shots.json"), *row, *want;
  size_t i, j, seen = 0;
  json_array_foreach(json_object_get(root, "cases"), i, row) {
    tern_rows *pool = rows_of(json_object_get(row, "pool"));
    tern_shots *s = NULL;
    tern_error e = {0};
    size_t out[MOST], n = (size_t)json_integer_value(json_object_get(row, "n"));
    const char *sampler = json_string_value(json_object_get(row, "sampler"));
    bool own = json_is_true(json_object_get(row, "own"));
    assert_in_range(n, 1, MOST);
    assert_int_equal(tern_shots_open(&s, pool, strcmp(sampler, "first_n") == 0 ? TERN_SHOTS_FIRST : TERN_SHOTS_RANDOM,
                                     json_integer_value(json_object_get(row, "seed")), &e),
                     0);
    json_array_foreach(json_object_get(row, "rows"), j, want) {
      if (tern_shots_draw(s, n, own ? tern_rows_at(pool, j) : NULL, out, &e) != 0) fail_msg("%s", e.text);
      for (size_t k = 0; k < n; k++) assert_int_equal(out[k], json_integer_value(json_array_get(want, k)));
      seen++;
    }
    tern_shots_close(s);
    tern_rows_close(pool);
  }
  assert_int_equal(seen, 60);
  json_decref(root);
}

static void too_small_pools_are_refused_with_both_numbers(void **state) {
  (void)state;
  json_t *list = json_pack("[{s:i},{s:i},{s:i}]", "q", 1, "q", 1, "q", 2);
  tern_rows *pool = rows_of(list);
  for (int sampler = TERN_SHOTS_RANDOM; sampler <= TERN_SHOTS_FIRST; sampler++) {
    tern_shots *s = NULL;
    tern_error e = {0};
    size_t out[MOST];
    assert_int_equal(tern_shots_open(&s, pool, (tern_shot_sampler)sampler, 1234, &e), 0);
    assert_int_equal(tern_shots_draw(s, 2, tern_rows_at(pool, 0), out, &e), TERN_FAILED);
    assert_string_equal(e.text, "2 few-shot examples were asked for; the set has 1 that are not the question");
    assert_int_equal(tern_shots_draw(s, 4, NULL, out, &e), TERN_FAILED);
    assert_int_equal(tern_shots_draw(s, 3, NULL, out, &e), 0);
    tern_shots_close(s);
  }
  tern_rows_close(pool);
  json_decref(list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shots_are_those_of_lm_eval_document_after_document),
      cmocka_unit_test(too_small_pools_are_refused_with_both_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
