/* Profile: every operator is counted exactly as often as the graph runs it, a
 * member's operators add up to the wall time, and no logit notices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/profile.h"
#include "tests/reference_file.h"

enum { VOCAB = 90, CONTEXT = 64, LAYERS = 3, PROMPT = 9, MOST = 3, TEXT_ROOM = 1 << 17 };
static const int32_t ids[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};

/* Architecture with its norms a layer. */
typedef struct graph {
  const char *arch;
  int norms;
  bool own_head;
} graph;
static const graph graphs[] = {{"bitnet-b1.58", 4, false}, {"llama", 2, true}};

typedef struct fixture {
  char path[64];
  tern_team *team;
  tern_model *m;
  tern_session *s;
  tern_profile *p;
} fixture;

static void start(fixture *f, const graph *g, int threads, bool exact) {
  tiny_shape shape = {g->arch, LAYERS, 64, 96, 4, 2, VOCAB, CONTEXT, "I2_S", "F16", g->own_head, 0, 0};
  tern_model_params params = {.exact_head = exact, .isa_cap = TERN_ISA_COUNT};
  tern_session_params sizes = {.context = CONTEXT, .batch = 8, .kv = TERN_KV_F16};
  tern_gguf *file;
  tern_error e;
  tiny_write(f->path, &shape, NULL, NULL, 8);
  assert_int_equal(tern_gguf_open(&file, f->path, &e), 0);
  assert_int_equal(tern_team_open(&f->team, threads, NULL, &e), 0);
  assert_int_equal(tern_model_load(&f->m, file, &params, f->team, &e), 0);
  assert_int_equal(tern_session_open(&f->s, f->m, f->team, &sizes, &e), 0);
  assert_int_equal(tern_profile_open(&f->p, threads, &e), 0);
  tern_gguf_close(file);
  unlink(f->path);
}

static void end(fixture *f) {
  tern_session_close(f->s);
  tern_profile_close(f->p);
  tern_model_close(f->m);
  tern_team_close(f->team);
}

static int64_t calls(const fixture *f, tern_operator op) {
  int64_t sum = 0;
  for (int m = 0; m < tern_profile_total(f->p).members; m++) sum += tern_profile_of(f->p, m, op)->calls;
  return sum;
}

static void expect(const fixture *f, tern_operator op, int64_t want) {
  if (calls(f, op) != want)
    fail_msg("%s: %lld calls, want %lld", tern_operator_name(op), (long long)calls(f, op), (long long)want);
}

/* Stages that every member takes part in, a layer. */
static void expect_layers(const fixture *f, int64_t chunks, int64_t members) {
  static const tern_operator each[] = {TERN_OP_QKV, TERN_OP_ATTENTION, TERN_OP_OUTPUT, TERN_OP_GATE_UP, TERN_OP_DOWN};
  for (size_t i = 0; i < sizeof each / sizeof *each; i++) expect(f, each[i], chunks * members * LAYERS);
  expect(f, TERN_OP_ROPE, chunks * members * (LAYERS + 1));
  expect(f, TERN_OP_EMBED, chunks * members);
  expect(f, TERN_OP_START, chunks * members);
  expect(f, TERN_OP_END, chunks * members);
  expect(f, TERN_OP_METER, 0);
}

/* By construction, to the nanosecond; the clock only goes forward. */
static void expect_whole(const fixture *f) {
  tern_profile_sums s = tern_profile_total(f->p);
  for (int m = 0; m < s.members; m++) {
    int64_t sum = 0;
    for (int i = 0; i < TERN_OPERATORS; i++) {
      int64_t ns = tern_profile_of(f->p, m, (tern_operator)i)->ns;
      assert_true(ns >= 0);
      sum += ns;
    }
    assert_int_equal(sum, (int64_t)(s.wall_s * 1e9 + 0.5));
  }
}

static void a_token_runs_every_operator_as_often_as_the_graph_says(void **state) {
  (void)state;
  for (int g = 0; g < 2; g++) {
    for (int threads = 1; threads <= MOST; threads++) {
      fixture f;
      float logits[VOCAB];
      tern_error e;
      start(&f, &graphs[g], threads, false);
      tern_session_profile(f.s, f.p);
      for (int i = 0; i < 5; i++) assert_int_equal(tern_session_eval(f.s, ids + i, 1, TERN_WANT_LAST, logits, &e), 0);
      int64_t all = 5 * threads;
      assert_int_equal(tern_profile_total(f.p).tokens, 5);
      assert_int_equal(tern_profile_total(f.p).chunks, 5);
      expect_layers(&f, 5, threads);
      expect(&f, TERN_OP_NORM, all * (graphs[g].norms * LAYERS + 1)); /* each member for itself */
      expect(&f, TERN_OP_QUANTISE, all * (4 * LAYERS + 1));
      expect(&f, TERN_OP_ACTIVATION, all * LAYERS);
      expect(&f, TERN_OP_HEAD, all);
      expect(&f, TERN_OP_ARGMAX, all);
      expect(&f, TERN_OP_BARRIER, all * (6 * LAYERS + 1));
      expect_whole(&f);
      end(&f);
    }
  }
}

static void a_chunk_shares_its_tokens_among_the_members(void **state) {
  (void)state;
  for (int threads = 1; threads <= MOST; threads++) {
    fixture f;
    float logits[VOCAB];
    tern_error e;
    start(&f, &graphs[0], threads, false);
    tern_session_profile(f.s, f.p);
    assert_int_equal(tern_session_eval(f.s, ids, PROMPT, TERN_WANT_LAST, logits, &e), 0); /* 8 tokens and 1 */
    assert_int_equal(tern_profile_total(f.p).tokens, PROMPT);
    expect_layers(&f, 2, threads);
    expect(&f, TERN_OP_NORM, 4 * LAYERS * (8 + threads) + threads);
    expect(&f, TERN_OP_QUANTISE, 4 * LAYERS * (8 + threads) + threads);
    expect(&f, TERN_OP_ACTIVATION, LAYERS * (8 + threads));
    expect(&f, TERN_OP_HEAD, threads); /* of the last chunk alone */
    expect(&f, TERN_OP_ARGMAX, threads);
    expect(&f, TERN_OP_BARRIER, threads * (10 * LAYERS + 6 * LAYERS + 1));
    expect_whole(&f);
    end(&f);
  }
}

static void an_exact_head_is_head_and_argmax(void **state) {
  (void)state;
  fixture f;
  int32_t next;
  tern_error e;
  start(&f, &graphs[0], 2, true);
  tern_session_profile(f.s, f.p);
  assert_int_equal(tern_session_greedy(f.s, ids, 1, &next, NULL, &e), 0);
  expect_layers(&f, 1, 2);
  expect(&f, TERN_OP_HEAD, 2 * 2);   /* scan, rows rescored */
  expect(&f, TERN_OP_ARGMAX, 2 * 2); /* bounds, candidates */
  expect(&f, TERN_OP_QUANTISE, 2 * (4 * LAYERS + 2));
  expect(&f, TERN_OP_BARRIER, 2 * (6 * LAYERS + 3));
  expect_whole(&f);
  end(&f);
}

/* All logits of a prompt and of single tokens after it. */
static void all_logits(fixture *f, float *logits) {
  tern_error e;
  tern_session_rewind(f->s, 0);
  assert_int_equal(tern_session_eval(f->s, ids, PROMPT, TERN_WANT_ALL, logits, &e), 0);
  for (int i = PROMPT; i < PROMPT + 4; i++)
    assert_int_equal(tern_session_eval(f->s, ids + i, 1, TERN_WANT_LAST, logits + i * VOCAB, &e), 0);
}

static void no_logit_notices_and_off_is_off(void **state) {
  (void)state;
  for (int threads = 1; threads <= 2; threads++) {
    fixture f;
    float off[(PROMPT + 4) * VOCAB], on[(PROMPT + 4) * VOCAB];
    start(&f, &graphs[0], threads, false);
    tern_counters *c = tern_counters_open();
    tern_counters_bind(c, f.team);
    all_logits(&f, off);
    tern_session_profile(f.s, f.p);
    all_logits(&f, on);
    assert_memory_equal(off, on, sizeof off);
    tern_profile_count(f.p, c);
    all_logits(&f, on);
    assert_memory_equal(off, on, sizeof off);
    int64_t before = calls(&f, TERN_OP_QKV);
    tern_session_profile(f.s, NULL);
    all_logits(&f, on);
    assert_memory_equal(off, on, sizeof off);
    assert_int_equal(calls(&f, TERN_OP_QKV), before);
    tern_profile_clear(f.p);
    assert_int_equal(calls(&f, TERN_OP_QKV), 0);
    tern_counters_close(c);
    end(&f);
  }
}

static void counters_are_attributed_thread_by_thread(void **state) {
  (void)state;
  fixture f;
  float logits[VOCAB];
  int64_t whole[TERN_COUNTERS];
  tern_error e;
  start(&f, &graphs[0], 2, false);
  tern_counters *c = tern_counters_open();
  tern_counters_bind(c, f.team);
  tern_profile_count(f.p, c);
  tern_session_profile(f.s, f.p);
  tern_counters_start(c);
  assert_int_equal(tern_session_eval(f.s, ids, PROMPT, TERN_WANT_LAST, logits, &e), 0);
  tern_counters_stop(c, whole);
  int64_t clock = 0;
  for (int m = 0; m < 2; m++) {
    for (int i = TERN_OP_EMBED; i < TERN_OP_END; i++) {
      const tern_profile_cell *cell = tern_profile_of(f.p, m, (tern_operator)i);
      assert_true(cell->values[TERN_TASK_CLOCK] >= 0);
      clock += cell->values[TERN_TASK_CLOCK];
      for (int k = 0; k < TERN_COUNTERS; k++)
        if (cell->calls && !tern_counters_fact(c, (tern_counter)k)->counts) assert_int_equal(cell->values[k], -1);
    }
    assert_true(tern_profile_of(f.p, m, TERN_OP_METER)->calls > 0);
    assert_int_equal(tern_profile_of(f.p, m, TERN_OP_START)->values[TERN_TASK_CLOCK], -1);
  }
  assert_true(clock > 0 && clock <= whole[TERN_TASK_CLOCK]);
  expect_whole(&f);
  tern_counters_close(c);
  end(&f);
}

/* Counts lines, and those that start with text. */
static int lines(const char *all, const char *text) {
  int n = 0;
  for (const char *at = all; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
    n += strncmp(at, text, strlen(text)) == 0;
  return n;
}

static void rows_are_appended_under_one_header(void **state) {
  (void)state;
  fixture f;
  float logits[VOCAB];
  tern_error e;
  char path[] = "/tmp/check_profile_XXXXXX";
  static char text[TEXT_ROOM];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  start(&f, &graphs[0], 2, false);
  tern_session_profile(f.s, f.p);
  assert_int_equal(tern_session_eval(f.s, ids, PROMPT, TERN_WANT_LAST, logits, &e), 0);
  for (int i = 0; i < 2; i++) {
    tern_profile_label label = {"ternary", "tiny, \"quoted\"", "cores", "prefill-9", i ? "decode" : "prefill", i - 1};
    assert_int_equal(tern_profile_write(path, &label, f.p, &e), 0);
  }
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  unlink(path);
  int operators = TERN_OPERATORS - 1; /* no counters: no metering */
  assert_int_equal(lines(text, "engine,model,placement,workload,phase,pass,threads,member,"), 1);
  assert_int_equal(lines(text, "\"ternary\",\"tiny, \"\"quoted\"\"\",\"cores\",\"prefill-9\",\"prefill\",,2,all,2,9,"),
                   operators);
  assert_int_equal(lines(text, "\"ternary\",\"tiny, \"\"quoted\"\"\",\"cores\",\"prefill-9\",\"decode\",0,2,1,2,9,"),
                   operators);
  assert_int_equal(lines(text, ""), 1 + 2 * 3 * operators);
  assert_true(strstr(text, ",,\n") != NULL); /* counters that were not read are empty, never 0 */
  assert_int_equal(
      tern_profile_write("/nowhere/profile.csv", &(tern_profile_label){"a", "b", "c", "d", "e", -1}, f.p, &e), 1);
  assert_non_null(strstr(e.text, "/nowhere/profile.csv"));
  end(&f);
}

static void the_cost_of_a_mark_is_told(void **state) {
  (void)state;
  double cost = tern_profile_cost();
  print_message("a mark: %.0f ns\n", 1e9 * cost);
  assert_true(cost > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_token_runs_every_operator_as_often_as_the_graph_says),
      cmocka_unit_test(a_chunk_shares_its_tokens_among_the_members),
      cmocka_unit_test(an_exact_head_is_head_and_argmax),
      cmocka_unit_test(no_logit_notices_and_off_is_off),
      cmocka_unit_test(counters_are_attributed_thread_by_thread),
      cmocka_unit_test(rows_are_appended_under_one_header),
      cmocka_unit_test(the_cost_of_a_mark_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
