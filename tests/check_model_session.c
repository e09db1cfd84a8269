/* Sessions: positions, refusals that leave the session as it was, and the
 * facts a loaded model tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "baselines/runner.h"
#include "engine/base/memory.h"
#include "tests/reference_file.h"

enum { VOCAB = 90, CONTEXT = 24 };
static const tiny_shape shape = {"bitnet-b1.58", 2, 64, 96, 4, 2, VOCAB, 64, "I2_S", "F16", false, 0, 0};
static const int32_t ids[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3};

typedef struct fixture {
  char path[64];
  tern_gguf *g;
  tern_team *team;
  tern_model *m;
  tern_session *s;
} fixture;

static int setup(void **state) {
  static fixture f;
  tern_error e;
  tiny_write(f.path, &shape, NULL, NULL, 8);
  assert_int_equal(tern_gguf_open(&f.g, f.path, &e), 0);
  assert_int_equal(tern_team_open(&f.team, 2, NULL, &e), 0);
  assert_int_equal(tern_model_load(&f.m, f.g, &(tern_model_params){.isa_cap = TERN_ISA_COUNT}, f.team, &e), 0);
  tern_session_params p = {.context = CONTEXT, .batch = 8, .kv = TERN_KV_F16};
  assert_int_equal(tern_session_open(&f.s, f.m, f.team, &p, &e), 0);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  tern_session_close(f->s);
  tern_model_close(f->m);
  tern_team_close(f->team);
  tern_gguf_close(f->g);
  unlink(f->path);
  return 0;
}

static void assert_text(int rc, const tern_error *e, const char *part) {
  if (rc != TERN_FAILED || !strstr(e->text, part)) fail_msg("%d, \"%s\", want \"%s\"", rc, e->text, part);
}

static void refusals_leave_the_position_alone(void **state) {
  tern_session *s = ((fixture *)*state)->s;
  float logits[VOCAB];
  tern_error e = {0};
  int32_t bad[] = {1, 2, VOCAB}, negative = -1, next;
  assert_int_equal(tern_session_eval(s, ids, 20, TERN_WANT_NONE, NULL, &e), 0);
  assert_text(tern_session_eval(s, bad, 3, TERN_WANT_LAST, logits, &e), &e,
              "token id 90 is outside the vocabulary of 90");
  assert_text(tern_session_greedy(s, &negative, 1, &next, NULL, &e), &e, "token id -1 is outside");
  assert_text(tern_session_eval(s, ids, 5, TERN_WANT_LAST, logits, &e), &e,
              "context full: 24 positions, 20 used, 5 more");
  assert_text(tern_session_eval(s, ids, 0, TERN_WANT_LAST, logits, &e), &e, "no tokens");
  assert_int_equal(tern_session_position(s), 20);
  assert_int_equal(tern_session_eval(s, ids, 4, TERN_WANT_LAST, logits, &e), 0); /* the last four fit */
  assert_int_equal(tern_session_position(s), CONTEXT);
}

static void rewinding_forgets_what_came_after(void **state) {
  tern_session *s = ((fixture *)*state)->s;
  float first[VOCAB], again[VOCAB];
  tern_error e = {0};
  assert_int_equal(tern_session_eval(s, ids, 9, TERN_WANT_LAST, first, &e), 0);
  assert_int_equal(tern_session_eval(s, ids + 11, 6, TERN_WANT_NONE, NULL, &e), 0);
  tern_session_rewind(s, 30); /* not a position it has */
  assert_int_equal(tern_session_position(s), 15);
  tern_session_rewind(s, 8);
  assert_int_equal(tern_session_eval(s, ids + 8, 1, TERN_WANT_LAST, again, &e), 0);
  assert_memory_equal(first, again, sizeof first);
  tern_session_rewind(s, 0);
  assert_int_equal(tern_session_eval(s, ids, 9, TERN_WANT_LAST, again, &e), 0);
  assert_memory_equal(first, again, sizeof first);
}

static void greedy_is_the_argmax_and_last_is_the_last_of_all(void **state) {
  tern_session *s = ((fixture *)*state)->s;
  float all[19 * VOCAB], last[VOCAB];
  tern_error e = {0};
  int32_t next;
  int rescored, best = 0;
  assert_int_equal(tern_session_eval(s, ids, 19, TERN_WANT_ALL, all, &e), 0);
  tern_session_rewind(s, 0);
  assert_int_equal(tern_session_eval(s, ids, 19, TERN_WANT_LAST, last, &e), 0);
  assert_memory_equal(all + 18 * VOCAB, last, sizeof last);
  tern_session_rewind(s, 0);
  assert_int_equal(tern_session_greedy(s, ids, 19, &next, &rescored, &e), 0);
  for (int i = 1; i < VOCAB; i++) best = last[i] > last[best] ? i : best;
  assert_int_equal(next, best);
  assert_int_equal(rescored, VOCAB);
}

static void nearly_infinite(float *rows, int vocab, int hidden) {
  for (int c = 0; c < hidden; c++) rows[(vocab - 1) * hidden + c] = c % 2 ? 3e38f : -3e38f;
}

static void logits_that_are_not_finite_are_an_error(void **state) {
  (void)state;
  for (int exact = 0; exact < 2; exact++) {
    tiny_shape wide = shape;
    tern_model_params p = {.head_layout = "f32", .exact_head = exact, .isa_cap = TERN_ISA_COUNT};
    fixture f;
    float logits[VOCAB];
    int32_t next;
    tern_error e = {0};
    wide.embedding = "F32";
    tiny_write(f.path, &wide, NULL, nearly_infinite, 8);
    assert_int_equal(tern_gguf_open(&f.g, f.path, &e), 0);
    assert_int_equal(tern_team_open(&f.team, 2, NULL, &e), 0);
    assert_int_equal(tern_model_load(&f.m, f.g, &p, f.team, &e), 0);
    assert_int_equal(tern_session_open(&f.s, f.m, f.team, &(tern_session_params){.batch = 8}, &e), 0);
    assert_int_equal(tern_session_eval(f.s, ids, 2, TERN_WANT_NONE, NULL, &e), 0);
    assert_text(tern_session_eval(f.s, ids + 2, 12, TERN_WANT_LAST, logits, &e), &e, "at position 13 are not finite");
    assert_text(tern_session_greedy(f.s, ids + 2, 1, &next, NULL, &e), &e, "at position 2 are not finite");
    assert_int_equal(tern_session_position(f.s), 2);
    teardown(&(void *){&f});
  }
}

static void a_context_that_is_too_large_is_refused(void **state) {
  fixture *f = *state;
  tern_session *s;
  tern_error e = {0};
  int rc = tern_session_open(&s, f->m, f->team, &(tern_session_params){.context = 65}, &e);
  assert_text(rc, &e, "context 65 is more than the model's 64 positions");
  assert_null(s);
}

static void a_cache_larger_than_memory_is_refused_with_both_numbers(void **state) {
  (void)state;
  const tiny_shape long_context = {"llama", 24, 128, 32, 2, 2, 32, 10000000, "F16", "F16", false, 0, 0};
  char path[64];
  fixture f;
  tern_error e = {0};
  tern_session_params p = {.context = 10000000};
  size_t need;
  tiny_write(path, &long_context, NULL, NULL, 1);
  assert_int_equal(tern_gguf_open(&f.g, path, &e), 0);
  unlink(path);
  assert_int_equal(tern_team_open(&f.team, 1, NULL, &e), 0);
  assert_int_equal(tern_model_load(&f.m, f.g, &(tern_model_params){.isa_cap = TERN_ISA_COUNT}, f.team, &e), 0);
  assert_int_equal(tern_session_plan(tern_model_describe(f.m), &p, 1, &need, &e), 0);
  assert_true(need > (size_t)2 * 24 * 128 * 4 * 10000000);
  if (need > tern_memory_available()) {
    int rc = tern_session_open(&f.s, f.m, f.team, &p, &e);
    assert_text(rc, &e, "session: 10000000 positions need 24");
    assert_non_null(strstr(e.text, "GB are available"));
  }
  tern_model_close(f.m);
  tern_team_close(f.team);
  tern_gguf_close(f.g);
}

static void facts_add_up(void **state) {
  fixture *f = *state;
  const tern_model_facts *m = tern_model_describe(f->m);
  tern_model_params p = {.isa_cap = TERN_ISA_COUNT};
  size_t planned, held = m->body_bytes + m->head_bytes + m->norm_bytes + m->embedding_bytes + m->scan_bytes;
  tern_error e = {0};
  assert_int_equal(tern_model_plan(f->g, &p, &planned, &e), 0);
  assert_true(held <= planned && planned < held + 64 * 1024); /* planned with a scale a row */
  assert_int_equal(m->body_weights, 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64));
  assert_true(m->ternary && m->zero_share > 0.30 && m->zero_share < 0.37);
  assert_string_equal(m->body_layout, "t2");
  assert_string_equal(m->head_layout, "f16");
  assert_int_equal(tern_session_kv_bytes(f->s), 2 * 2 * 2 * 16 * 2 * CONTEXT);
  p.layout = "f16";
  tern_model_facts twin;
  assert_int_equal(tern_model_preview(f->g, &p, &twin, &e), 0);
  assert_true(!twin.ternary && isnan(twin.zero_share) && twin.body_bytes > 7 * m->body_bytes / 2);
}

static void every_engine_runs_the_same_file(void **state) {
  fixture *f = *state;
  for (const tern_engine_info *i = tern_engines(); i->name; i++) {
    tern_runner_spec spec = {.engine = i->name,
                             .model_path = f->path,
                             .threads = 2,
                             .context = CONTEXT,
                             .exact_head = true,
                             .isa_cap = TERN_ISA_COUNT};
    tern_runner *r;
    tern_error e = {0};
    size_t planned;
    assert_int_equal(tern_runner_plan(&spec, &planned, &e), 0);
    assert_int_equal(tern_runner_open(&r, &spec, &e), 0);
    const tern_runner_facts *facts = tern_runner_describe(r);
    bool exact = strcmp(i->name, "int8-q8head") != 0;
    assert_true(exact == (strstr(facts->kernel, "+exact head") != NULL));
    assert_true(planned > facts->body_bytes_a_token && facts->body_bytes_a_token > facts->model.body_bytes);
    assert_int_equal(tern_runner_prefill(r, ids, 10, 0, &e), 0);
    assert_int_equal(tern_runner_decode(r, ids, 14, NULL, &e), 0);
    assert_text(tern_runner_decode(r, ids, 1, NULL, &e), &e, "context full");
    tern_runner_rewind(r, 0);
    assert_int_equal(tern_runner_threads(r, 1, NULL, &e), 0);
    assert_int_equal(tern_runner_prefill(r, ids, CONTEXT, 0, &e), 0);
    tern_runner_close(r);
  }
  tern_runner *r;
  tern_error e = {0};
  tern_runner_spec spec = {.engine = "int4", .model_path = f->path, .threads = 1};
  assert_int_equal(tern_runner_open(&r, &spec, &e), TERN_USAGE);
  assert_non_null(strstr(e.text, "engine \"int4\": not known"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(refusals_leave_the_position_alone, setup, teardown),
      cmocka_unit_test_setup_teardown(rewinding_forgets_what_came_after, setup, teardown),
      cmocka_unit_test_setup_teardown(greedy_is_the_argmax_and_last_is_the_last_of_all, setup, teardown),
      cmocka_unit_test(logits_that_are_not_finite_are_an_error),
      cmocka_unit_test_setup_teardown(a_context_that_is_too_large_is_refused, setup, teardown),
      cmocka_unit_test(a_cache_larger_than_memory_is_refused_with_both_numbers),
      cmocka_unit_test_setup_teardown(facts_add_up, setup, teardown),
      cmocka_unit_test_setup_teardown(every_engine_runs_the_same_file, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
