/* Continuous batching: whatever else runs, joins, leaves or is cancelled, each
 * request gives what it gives alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "engine/base/random.h"
#include "engine/generate/generate.h"
#include "engine/generate/schedule.h"
#include "tests/reference_file.h"

enum { VOCAB = 97, CONTEXT = 64, REQUESTS = 14, SHARED = 40 };

static const tiny_shape shape = {"bitnet-b1.58", 2, 64, 96, 4, 2, VOCAB, CONTEXT, "I2_S", "F16", false, 0, 0};
static const tern_bias biases[] = {{5, -INFINITY}, {9, 1.5f}};

static uint64_t drawn;

static int random_to(int most) {
  return (int)(tern_random_at(21, 3, drawn++) % (uint64_t)(most + 1));
}

typedef struct fixture {
  tern_gguf *g;
  tern_team *team;
  tern_model *m;
} fixture;

static int setup(void **state) {
  static fixture f;
  tern_error e = {0};
  char path[64];
  tern_model_params p = {.isa_cap = TERN_ISA_COUNT, .exact_head = true};
  tiny_write(path, &shape, NULL, NULL, 8);
  assert_int_equal(tern_gguf_open(&f.g, path, &e), 0);
  unlink(path);
  assert_int_equal(tern_team_open(&f.team, 3, NULL, &e), 0);
  assert_int_equal(tern_model_load(&f.m, f.g, &p, f.team, &e), 0);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  tern_model_close(f->m);
  tern_team_close(f->team);
  tern_gguf_close(f->g);
  return 0;
}

/* A request and what it gives alone. */
typedef struct plan {
  int32_t prompt[CONTEXT];
  tern_request_params p;
  int32_t ids[CONTEXT];
  tern_score scores[CONTEXT];
  int generated, add_at, cancel_at; /* in steps; cancel_at < 0: never */
  tern_stop stop;
  tern_request *r;
} plan;

static void run_alone(const fixture *f, plan *p, tern_kv_type kv, int context) {
  tern_session *s;
  tern_error e = {0};
  tern_session_params sizes = {.context = context, .kv = kv};
  assert_int_equal(tern_session_open(&s, f->m, f->team, &sizes, &e), 0);
  if (p->p.scored > 0) {
    int n = p->p.prompt_count - 1;
    tern_item item = {.session = s,
                      .ids = p->prompt,
                      .n = n,
                      .wanted = p->p.scored,
                      .targets = p->prompt + n + 1 - p->p.scored,
                      .scores = p->scores};
    assert_int_equal(tern_session_feed(&item, &e), 0);
  } else {
    for (int more = 1, n = p->p.prompt_count; more;) { /* token by token, the ids kept */
      tern_generation g;
      tern_answer_params one = p->p.answer;
      int32_t text[2 * CONTEXT];
      one.count = 1;
      memcpy(text, p->prompt, (size_t)n * sizeof *text);
      memcpy(text + p->p.prompt_count, p->ids, (size_t)p->generated * sizeof *text);
      if (tern_generate(s, NULL, &one, text, n, &g, &e)) fail_msg("%s", e.text);
      p->ids[p->generated++] = g.last;
      n++;
      more = p->generated < p->p.answer.count && n <= context;
    }
    p->stop = p->generated == p->p.answer.count ? TERN_STOP_COUNT : TERN_STOP_CONTEXT;
  }
  tern_session_close(s);
}

static void make_plan(plan *p, const int32_t *shared) {
  tern_sampler_params *s = &p->p.answer.sampling;
  *p = (plan){.add_at = random_to(12), .cancel_at = random_to(5) ? -1 : random_to(20)};
  p->p.prompt = p->prompt;
  p->p.prompt_count = 2 + random_to(random_to(1) ? 6 : SHARED);
  int common = random_to(2) ? random_to(SHARED) : 0;
  for (int i = 0; i < p->p.prompt_count; i++) p->prompt[i] = i < common ? shared[i] : random_to(VOCAB - 1);
  if (random_to(3) == 0) {
    p->p.scored = 1 + random_to(p->p.prompt_count - 2);
    return;
  }
  p->p.answer.count = 1 + random_to(20);
  *s = (tern_sampler_params){.top_p = 1, .seed = drawn};
  if (random_to(1)) s->temperature = 0.9f;
  if (random_to(1)) s->top_k = 5;
  if (random_to(2) == 0) s->repeat = 1.4f;
  if (random_to(2) == 0) {
    s->biases = biases;
    s->bias_count = 2;
  }
}

static void expect_result(const plan *p) {
  const tern_request_facts *f = tern_request_describe(p->r);
  assert_true(f->ended);
  assert_int_equal(f->status, TERN_OK);
  bool cancelled = f->stop == TERN_STOP_CANCELLED;
  if (cancelled) assert_true(p->cancel_at >= 0);
  if (p->p.scored > 0 && !cancelled) assert_memory_equal(f->scores, p->scores, (size_t)p->p.scored * sizeof *p->scores);
  if (p->p.scored > 0) return;
  if (!cancelled) assert_int_equal(f->stop, p->stop);
  if (!cancelled) assert_int_equal(f->generated, p->generated);
  assert_memory_equal(f->ids, p->ids, (size_t)f->generated * sizeof *p->ids);
}

static int run_round(const fixture *f, const tern_schedule_params *sizes, plan *plans) {
  tern_schedule *s;
  tern_error e = {0};
  int left = 1, reused = 0;
  assert_int_equal(tern_schedule_open(&s, f->m, f->team, NULL, sizes, &e), 0);
  for (int step = 0; step <= 20 || left > 0; step++) {
    for (plan *p = plans; p < plans + REQUESTS; p++) {
      if (p->add_at == step && tern_schedule_add(s, &p->p, &p->r, &e)) fail_msg("%s", e.text);
      if (p->cancel_at == step && p->r) tern_request_cancel(p->r);
    }
    if (tern_schedule_step(s, &left, &e)) fail_msg("%s", e.text);
    assert_true(tern_schedule_positions(s) <= sizes->positions);
    assert_true(step < 2000);
  }
  for (plan *p = plans; p < plans + REQUESTS; p++) {
    expect_result(p);
    reused += tern_request_describe(p->r)->reused;
    if (p->add_at % 2) tern_request_close(p->r); /* the others go with the schedule */
  }
  tern_schedule_close(s);
  return reused;
}

static void requests_give_what_they_give_alone(void **state) {
  const fixture *f = *state;
  static plan plans[REQUESTS];
  int32_t shared[SHARED];
  int reused = 0;
  for (int i = 0; i < SHARED; i++) shared[i] = random_to(VOCAB - 1);
  for (int round = 0; round < 24; round++) {
    tern_schedule_params sizes = {.sequences = 1 + random_to(5),
                                  .batch = 6 + random_to(30),
                                  .beside = random_to(8),
                                  .context = 44 + random_to(20),
                                  .positions = 70 + random_to(200),
                                  .kv = (tern_kv_type)(round % 3),
                                  .no_reuse = round % 4 == 3};
    for (int i = 0; i < REQUESTS; i++) {
      make_plan(&plans[i], shared);
      run_alone(f, &plans[i], sizes.kv, sizes.context);
    }
    int again = run_round(f, &sizes, plans);
    if (sizes.no_reuse) assert_int_equal(again, 0);
    reused += again;
  }
  assert_true(reused > 200); /* prompts that begin alike are fed once */
}

static void what_can_never_run_is_refused(void **state) {
  const fixture *f = *state;
  tern_schedule *s;
  tern_request *r;
  tern_error e = {0};
  int32_t ids[CONTEXT] = {0}, bad[] = {1, VOCAB};
  tern_schedule_params sizes = {.sequences = 2, .positions = 30, .batch = 16};
  assert_int_equal(tern_schedule_open(&s, f->m, f->team, NULL, &sizes, &e), 0);
  const tern_answer_params answer = {.sampling = {.top_p = 1}, .count = 4}, senseless = {.count = 4};
  const tern_request_params long_one = {.prompt = ids, .prompt_count = 31, .answer = answer};
  assert_int_equal(tern_schedule_add(s, &long_one, &r, &e), TERN_FAILED);
  assert_string_equal(e.text, "the prompt has 31 tokens, the context 30 positions");
  const tern_request_params wrong[] = {{.prompt = bad, .prompt_count = 2, .answer = answer},
                                       {.prompt = ids, .prompt_count = 0, .answer = answer},
                                       {.prompt = ids, .prompt_count = 3},
                                       {.prompt = ids, .prompt_count = 3, .scored = 3},
                                       {.prompt = ids, .prompt_count = 3, .scored = 1, .answer = answer},
                                       {.prompt = ids, .prompt_count = 3, .answer = senseless}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_not_equal(tern_schedule_add(s, &wrong[i], &r, &e), TERN_OK);
    assert_null(r);
  }
  const tern_request_params fine = {.prompt = ids, .prompt_count = 3, .answer = answer};
  assert_int_equal(tern_schedule_add(s, &fine, &r, &e), TERN_OK);
  assert_int_equal(tern_schedule_run(s, &e), TERN_OK);
  assert_int_equal(tern_request_describe(r)->generated, 4);
  tern_schedule_close(s);
  assert_int_equal(tern_schedule_open(&s, f->m, f->team, NULL, &(tern_schedule_params){.context = 65}, &e),
                   TERN_FAILED);
  assert_int_equal(tern_schedule_open(&s, f->m, f->team, NULL, &(tern_schedule_params){.batch = 4}, &e), TERN_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_give_what_they_give_alone),
      cmocka_unit_test(what_can_never_run_is_refused),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
