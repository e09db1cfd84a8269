/* Tuning: choices follow times, answers don't; the cache keeps what was found
 * and a file that does not fit is passed over with one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/model/model.h"
#include "harness/tune_cache.h"
#include "tests/program.h"

static const char *path_of(const char *name) {
  static char path[400];
  snprintf(path, sizeof path, "%s/%s", program_dir, name);
  return path;
}

/* Times of every kernel in every situation: 10 ps, and 1 of the favourites. */
static tern_tuning *make_times(const char *few, const char *many) {
  tern_tuning *t = calloc(1, sizeof *t);
  assert_non_null(t);
  t->cache = 1 << 20;
  for (const tern_kernel *const *k = tern_kernels(); *k; k++)
    for (int place = 0; place < TERN_PLACES; place++)
      for (int b = 0; b < TERN_BATCH_CLASSES; b++) {
        const char *favourite = b == 0 ? few : many;
        const double ps = favourite && strcmp((*k)->name, favourite) == 0 ? 1 : 10;
        t->rows[t->count++] = (tern_tuning_row){*k, (tern_place)place, 1, b, ps};
      }
  return t;
}

static void choices_follow_times(void **state) {
  (void)state;
  const tern_situation s = {.cap = TERN_ISA_COUNT, .threads = 4, .bytes = 1 << 24};
  tern_tuning *t = make_times("t2_scalar", NULL);
  tern_choice c = tern_choose_kernels(t, &tern_layout_t2, &s);
  assert_true(c.tuned);
  assert_string_equal(c.kernels[0]->name, "t2_scalar");
  assert_ptr_equal(c.kernels[2], tern_kernel_find(&tern_layout_t2, TERN_ISA_COUNT));
  assert_ptr_equal(tern_choose_kernels(NULL, &tern_layout_t2, &s).kernels[0], c.kernels[2]);
  free(t);
  t = make_times("t5_scalar", "t5_scalar");
  assert_ptr_equal(tern_choose_layout(t, &tern_layout_t2, &s).layout, &tern_layout_t5);
  assert_ptr_equal(tern_choose_layout(NULL, &tern_layout_t2, &s).layout, &tern_layout_t2);
  free(t);
}

static void one_token_a_few_and_many_are_told_apart(void **state) {
  (void)state;
  assert_int_equal(tern_batch_class(1), 0);
  assert_int_equal(tern_batch_class(2), 1);
  assert_int_equal(tern_batch_class(16), 1);
  assert_int_equal(tern_batch_class(17), 2);
  assert_int_equal(tern_batch_class(INT32_MAX), 2);
  for (int b = 0; b < TERN_BATCH_CLASSES; b++) assert_int_equal(tern_batch_class(tern_batch_timed(b)), b);
}

static void a_level_above_the_cap_is_never_chosen(void **state) {
  (void)state;
  const tern_kernel *best = tern_kernel_find(&tern_layout_t2, TERN_ISA_COUNT);
  tern_tuning *t = make_times(best->name, best->name);
  const tern_situation s = {.cap = TERN_ISA_SCALAR, .threads = 1, .bytes = 1};
  for (int b = 0; b < TERN_BATCH_CLASSES; b++)
    assert_string_equal(tern_choose_layout(t, &tern_layout_t2, &s).kernels[b]->name, "t2_scalar");
  free(t);
}

static void the_cache_gives_back_what_it_was_given(void **state) {
  (void)state;
  tern_error e = {0};
  tern_tuning *t = make_times("t2_scalar", "t5_scalar");
  t->rows[3].ps = 0.1 + 0.2;
  assert_null(tern_tune_load(path_of("none.json"), &e));
  assert_int_equal(e.status, 0);
  assert_int_equal(tern_tune_save(path_of("a/b/tune.json"), t, &e), 0);
  assert_int_equal(tern_tune_save(path_of("a/b/tune.json"), t, &e), 0); /* in the place of the first */
  tern_tuning *back = tern_tune_load(path_of("a/b/tune.json"), &e);
  assert_non_null(back);
  assert_int_equal(back->count, t->count);
  assert_int_equal(back->cache, t->cache);
  for (int i = 0; i < t->count; i++) {
    assert_ptr_equal(back->rows[i].kernel, t->rows[i].kernel);
    assert_int_equal(back->rows[i].place, t->rows[i].place);
    assert_int_equal(back->rows[i].threads, t->rows[i].threads);
    assert_int_equal(back->rows[i].batch_class, t->rows[i].batch_class);
    assert_true(back->rows[i].ps == t->rows[i].ps);
  }
  json_t *root = program_json("a/b/tune.json");
  assert_int_equal(json_array_size(json_object_get(root, "machines")), 1);
  json_decref(root);
  free(back);
  free(t);
}

typedef void (*edit)(json_t *root, json_t *machine);
static void no_edit(json_t *root, json_t *machine) {
  (void)root, (void)machine;
}
static void other_schema(json_t *root, json_t *machine) {
  (void)machine;
  json_object_set_new(root, "schema", json_integer(TERN_TUNE_SCHEMA + 1));
}
static void other_registry(json_t *root, json_t *machine) {
  (void)machine;
  json_object_set_new(root, "kernels", json_string("0123456789abcdef"));
}
static void other_cpu(json_t *root, json_t *machine) {
  (void)root;
  json_object_set_new(machine, "cpu", json_string("Another CPU"));
}
static void other_levels(json_t *root, json_t *machine) {
  (void)root;
  json_object_set_new(machine, "isa", json_string("scalar,other"));
}
static void unknown_kernel(json_t *root, json_t *machine) {
  (void)root;
  json_object_set_new(json_array_get(json_object_get(machine, "times"), 5), "kernel", json_string("t9_avx9"));
}
static void negative_time(json_t *root, json_t *machine) {
  (void)root;
  json_object_set_new(json_array_get(json_object_get(machine, "times"), 5), "ps", json_real(-1));
}
static void no_times(json_t *root, json_t *machine) {
  (void)root;
  json_object_set_new(machine, "times", json_string("none"));
}
static void no_machines(json_t *root, json_t *machine) {
  (void)machine;
  json_object_del(root, "machines");
}

/* Loads a copy of the file with that change. */
static tern_tuning *load_changed(edit change, tern_error *e) {
  json_t *root = program_json("tune.json");
  change(root, json_array_get(json_object_get(root, "machines"), 0));
  assert_int_equal(json_dump_file(root, path_of("changed.json"), 0), 0);
  json_decref(root);
  *e = (tern_error){0};
  return tern_tune_load(path_of("changed.json"), e);
}

static void a_foreign_cache_is_named_and_passed_over(void **state) {
  (void)state;
  static const struct {
    edit change;
    const char *says;
  } cases[] = {{other_schema, "schema"},      {other_registry, "another version"}, {other_cpu, "no times of this CPU"},
               {other_levels, "no times of"}, {unknown_kernel, "\"t9_avx9\""},     {negative_time, "is not one"},
               {no_times, "0 times of this"}, {no_machines, "not a tuning cache"}};
  tern_error e = {0};
  tern_tuning *t = make_times(NULL, NULL);
  assert_int_equal(tern_tune_save(path_of("tune.json"), t, &e), 0);
  free(t);
  t = load_changed(no_edit, &e);
  assert_non_null(t);
  free(t);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_null(load_changed(cases[i].change, &e));
    assert_int_equal(e.status, TERN_FAILED);
    if (!strstr(e.text, "changed.json") || !strstr(e.text, cases[i].says) || strchr(e.text, '\n'))
      fail_msg("\"%s\", want one line with \"%s\"", e.text, cases[i].says);
  }
}

static void a_cut_cache_is_passed_over_at_every_length(void **state) {
  (void)state;
  tern_error e = {0};
  tern_tuning *t = make_times(NULL, NULL);
  assert_int_equal(tern_tune_save(path_of("tune.json"), t, &e), 0);
  free(t);
  char *text = scratch_read(program_dir, "tune.json");
  const size_t size = strlen(text);
  for (size_t cut = 0; cut + 2 < size; cut += 1 + size / 97) { /* the last two: "}\n" */
    char kept = text[cut];
    text[cut] = '\0';
    scratch_file(program_dir, "cut.json", text);
    text[cut] = kept;
    e = (tern_error){0};
    assert_null(tern_tune_load(path_of("cut.json"), &e));
    assert_int_equal(e.status, TERN_FAILED);
  }
  free(text);
}

static void other_machines_times_stay_in_a_shared_file(void **state) {
  (void)state;
  tern_error e = {0};
  tern_tuning *t = make_times(NULL, NULL);
  assert_int_equal(tern_tune_save(path_of("tune.json"), t, &e), 0);
  assert_null(load_changed(other_cpu, &e));
  e = (tern_error){0};
  assert_int_equal(tern_tune_save(path_of("changed.json"), t, &e), 0);
  json_t *root = program_json("changed.json");
  assert_int_equal(json_array_size(json_object_get(root, "machines")), 2);
  json_decref(root);
  free(t);
}

static void a_failed_save_leaves_the_old_file_and_nothing_else(void **state) {
  (void)state;
  tern_error e = {0};
  tern_tuning *t = make_times(NULL, NULL);
  scratch_file(program_dir, "file", "no folder");
  assert_int_equal(tern_tune_save(path_of("file/tune.json"), t, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "file"));
  char *text = scratch_read(program_dir, "file");
  assert_string_equal(text, "no folder");
  free(text);
  free(t);
}

/* Logits of a few prompts, by chunks of several sizes. */
static void logits_of(const tern_tuning *tuning, float *logits, int *vocab, tern_model_facts *facts) {
  tern_error e = {0};
  tern_gguf *g;
  tern_team *team;
  tern_model *m;
  tern_session *s;
  const tern_model_params p = {.isa_cap = TERN_ISA_COUNT, .tuning = tuning, .threads = 2};
  assert_int_equal(tern_gguf_open(&g, path_of("tiny.gguf"), &e), 0);
  assert_int_equal(tern_team_open(&team, 2, NULL, &e), 0);
  assert_int_equal(tern_model_load(&m, g, &p, team, &e), 0);
  *facts = *tern_model_describe(m);
  *vocab = facts->vocab;
  assert_int_equal(tern_session_open(&s, m, team, &(tern_session_params){.context = 64}, &e), 0);
  static const int chunks[] = {1, 7, 1, 24};
  int32_t ids[32];
  for (int i = 0; i < 32; i++) ids[i] = (i * 37 + 5) % *vocab;
  for (int c = 0, at = 0; c < 4; at += chunks[c++])
    assert_int_equal(tern_session_eval(s, ids + at, chunks[c], TERN_WANT_LAST, logits + (size_t)c * (size_t)*vocab, &e),
                     0);
  tern_session_close(s);
  tern_model_close(m);
  tern_team_close(team);
  tern_gguf_close(g);
}

static void a_tuned_engine_gives_the_same_logits(void **state) {
  (void)state;
  enum { MOST = 4 * 4096 };
  static float usual[MOST], tuned[MOST];
  int vocab;
  tern_model_facts facts;
  program_expect(0, ARGS("synth", "tiny", "--out", "tiny.gguf"));
  logits_of(NULL, usual, &vocab, &facts);
  assert_false(facts.tuned);
  assert_string_equal(facts.body_layout, "t2");
  assert_true(4 * vocab <= MOST);
  static const char *const favourites[][2] = {
      {"t2_scalar", NULL}, {"t5_scalar", "t5_scalar"}, {"t5l_scalar", "t5l_scalar"}};
  for (size_t i = 0; i < 3; i++) {
    tern_tuning *t = make_times(favourites[i][0], favourites[i][1]);
    logits_of(t, tuned, &vocab, &facts);
    assert_true(facts.tuned);
    assert_string_equal(facts.body_kernel, favourites[i][0]);
    assert_memory_equal(usual, tuned, 4 * (size_t)vocab * sizeof *usual);
    free(t);
  }
}

static void a_run_uses_the_cache_and_records_it(void **state) {
  (void)state;
  tern_error e = {0};
  tern_tuning *t = make_times("t5_scalar", "t5_scalar");
  assert_int_equal(tern_tune_save(path_of("tune.json"), t, &e), 0);
  free(t);
  program_expect(0, ARGS("bench", "--models", "tiny", "--engines", "ternary", "-p", "16", "-n", "2", "-t", "1",
                         "--blocks", "1", "--cache", "cache", "--tune-cache", "tune.json", "--out", "run"));
  json_t *m = program_json("run/manifest.json"), *engine = json_array_get(json_object_get(m, "engines"), 0);
  assert_string_equal(json_string_value(json_object_get(engine, "kernel")), "t5_scalar");
  assert_string_equal(json_string_value(json_object_get(engine, "batch_kernel")), "t5_scalar");
  assert_true(json_is_true(json_object_get(engine, "tuned")));
  json_decref(m);
  program_expect(0,
                 ARGS("bench", "--models", "tiny", "--engines", "ternary", "-p", "16", "-n", "2", "-t", "1", "--blocks",
                      "1", "--cache", "cache", "--tune-cache", "tune.json", "--no-tune", "--out", "run2"));
  m = program_json("run2/manifest.json");
  engine = json_array_get(json_object_get(m, "engines"), 0);
  assert_string_equal(json_string_value(json_object_get(engine, "layout")), "t2");
  assert_true(json_is_false(json_object_get(engine, "tuned")));
  json_decref(m);
  scratch_file(program_dir, "tune.json", "{]");
  program_expect(0, ARGS("kernels", "list", "--cache", "tune.json"));
  program_says("err", "tune.json: line 1");
  assert_int_equal(program_count_lines("err"), 1);
}

static void the_benchmark_prints_what_programs_read(void **state) {
  (void)state;
  program_expect(0, ARGS("kernels", "bench", "t2_scalar", "--shape", "40x100", "--batch", "1,3", "--where", "cache",
                         "--seconds", "0.001", "--json", "--counters"));
  json_t *root = program_json("out"), *figures = json_object_get(root, "figures");
  assert_int_equal(json_array_size(figures), 2);
  const json_t *f = json_array_get(figures, 1);
  assert_int_equal(json_integer_value(json_object_get(f, "batch")), 3);
  assert_true(json_real_value(json_object_get(f, "gops")) > 0);
  assert_true(json_real_value(json_object_get(json_object_get(f, "of_read"), "low")) > 0);
  assert_true(json_is_object(json_object_get(f, "counters")));
  json_decref(root);
  program_expect(0, ARGS("kernels", "bench", "t2_scalar", "--model", "125M", "--batch", "1", "--where", "cache",
                         "--seconds", "0.001", "--csv"));
  assert_int_equal(program_count_lines("out"), 1 + 3); /* q = k = v = o, gate = up, down */
  char *text = scratch_read(program_dir, "out"), *rest = text;
  int columns = 0;
  for (char *row; (row = strsep(&rest, "\n")) && *row;) {
    int n = 1;
    for (const char *c = row; *c; c++) n += *c == ',';
    if (columns) assert_int_equal(n, columns);
    columns = n;
  }
  free(text);
}

static void bad_questions_are_one_line(void **state) {
  (void)state;
  program_expect(2, ARGS("kernels", "bench", "--model", "2B4U"));
  program_says("err", "2B4T");
  program_expect(2, ARGS("kernels", "bench", "--shape", "10x99999"));
  program_expect(2, ARGS("kernels", "tune", "t2"));
  program_expect(1, ARGS("kernels", "bench", "t9"));
  program_says("err", "\"t9\"");
  program_expect(1, ARGS("kernels", "test", "t9")); /* not: nothing to complain of */
  program_says("err", "\"t9\"");
#if defined(__x86_64__)
  program_expect(2, ARGS("kernels", "bench", "--isa", "neondot"));
  program_says("err", "--isa neondot: not usable here");
#elif defined(__aarch64__)
  program_expect(2, ARGS("kernels", "bench", "--isa", "avx2"));
  program_says("err", "--isa avx2: not usable here");
#endif
}

int main(int argc, char **argv) {
  (void)argc;
  if (program_find(argv[1])) return 1;
#define TEST(f) cmocka_unit_test_setup_teardown(f, program_setup, program_teardown)
  const struct CMUnitTest tests[] = {
      TEST(choices_follow_times),
      TEST(one_token_a_few_and_many_are_told_apart),
      TEST(a_level_above_the_cap_is_never_chosen),
      TEST(the_cache_gives_back_what_it_was_given),
      TEST(a_foreign_cache_is_named_and_passed_over),
      TEST(a_cut_cache_is_passed_over_at_every_length),
      TEST(other_machines_times_stay_in_a_shared_file),
      TEST(a_failed_save_leaves_the_old_file_and_nothing_else),
      TEST(a_tuned_engine_gives_the_same_logits),
      TEST(a_run_uses_the_cache_and_records_it),
      TEST(the_benchmark_prints_what_programs_read),
      TEST(bad_questions_are_one_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
