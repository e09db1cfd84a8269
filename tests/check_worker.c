/* Engines in processes of their own: same work through the pipe, a crash stays
 * with its engine, idle ones use no CPU, none outlives its parent. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/format/synth.h"
#include "harness/worker.h"
#include "tests/scratch.h"

enum { IDS = 64 };

static char dir[256], model[300];
static int32_t ids[IDS];
static const tern_prompt prompt = {.ids = ids, .count = IDS};
static const tern_workload prefill = {.name = "prefill-32", .phase = TERN_PHASE_PREFILL, .tokens = 32},
                           pieces = {.name = "prefill-32/b5", .phase = TERN_PHASE_PREFILL, .tokens = 32, .batch = 5},
                           deep = {.name = "decode-8@32", .phase = TERN_PHASE_DECODE, .context = 32, .tokens = 8},
                           fresh = {.name = "decode-8", .phase = TERN_PHASE_DECODE, .context = 4, .tokens = 8};

static int make_model(void **state) {
  (void)state;
  tern_error e = {0};
  tern_team *team;
  tern_synth_params params = {.seed = 1};
  scratch_make(dir, sizeof dir);
  snprintf(model, sizeof model, "%s/tiny.gguf", dir);
  for (int i = 0; i < IDS; i++) ids[i] = i;
  if (tern_team_open(&team, 1, NULL, &e)) return -1;
  int bad = tern_synth(model, &tern_synth_tiny, &params, team, &e);
  tern_team_close(team);
  if (bad) fprintf(stderr, "%s\n", e.text);
  return bad;
}

static int drop_model(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

static int try_start(tern_worker **w, const char *engine, const char *path, double slowdown, tern_error *e) {
  tern_worker_facts facts = {0};
  tern_worker_spec spec = {.name = engine,
                           .runner = {.engine = engine,
                                      .model_path = path,
                                      .threads = 2,
                                      .context = IDS,
                                      .kv = TERN_KV_F16,
                                      .isa_cap = TERN_ISA_COUNT},
                           .prompts = &prompt,
                           .slowdown = slowdown};
  if (tern_worker_start(w, &spec, e) || tern_worker_open(*w, &facts, e)) return (int)e->status;
  return facts.runner.model.body_bytes > 0 ? 0 : tern_fail(e, TERN_FAILED, "no facts came back");
}

static tern_worker *start(const char *engine) {
  tern_error e = {0};
  tern_worker *w;
  if (try_start(&w, engine, model, 0, &e)) fail_msg("%s: %s", engine, e.text);
  return w;
}

static tern_worker_result measure(tern_worker *w, const tern_workload *load, int threads) {
  tern_error e = {0};
  tern_worker_result r = {0};
  tern_team_spec team = {.threads = threads};
  if (tern_worker_prepare(w, load, &team, 0, &e) || tern_worker_run(w, load, &r, &e)) fail_msg("%s", e.text);
  return r;
}

static void workloads_run_in_any_order_and_team(void **state) {
  (void)state;
  tern_worker *w = start("ternary");
  const tern_workload *loads[] = {&prefill, &deep, &fresh, &deep, &prefill, &pieces, &prefill, &fresh};
  for (int threads = 1; threads <= 2; threads++)
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
      tern_worker_result r = measure(w, loads[i], threads);
      assert_true(r.seconds > 0);
      assert_true(r.peak_rss > 1 << 20);
    }
  tern_worker_end(w);
}

/* Times of tokens add up to the call's; a prefill's is the time to the first. */
static void every_token_is_timed(void **state) {
  (void)state;
  tern_worker *w = start("ternary");
  tern_worker_result r = measure(w, &fresh, 1);
  assert_true(r.token_p50 > 0 && r.token_p50 <= r.token_p90 && r.token_p90 <= r.token_p99);
  assert_true(r.token_p99 <= r.seconds && 8 * r.token_p99 >= r.seconds * 0.99);
  assert_true(isnan(r.ttft_s));
  r = measure(w, &prefill, 1);
  assert_true(r.ttft_s == r.seconds && isnan(r.token_p50));
  tern_worker_end(w);
}

/* The busy wait lies within the timed call: three times its length on top. */
static void an_injected_slowdown_is_in_the_time(void **state) {
  (void)state;
  tern_error e = {0};
  tern_worker *w;
  if (try_start(&w, "ternary", model, 3, &e)) fail_msg("%s", e.text);
  tern_worker_result r = measure(w, &fresh, 1);
  assert_true(r.seconds >= 4 * (4 * r.token_p50)); /* five of the eight tokens take p50 or more */
  tern_worker_end(w);
}

static void a_crash_is_one_line_and_the_others_go_on(void **state) {
  (void)state;
  static const tern_team_spec one = {.threads = 1};
  tern_worker *ternary = start("ternary"), *f16 = start("f16");
  tern_error e = {0};
  tern_worker_result r = {0};
  measure(f16, &prefill, 1);
  kill(tern_worker_pid(f16), SIGSEGV);
  assert_int_equal(tern_worker_run(f16, &deep, &r, &e), TERN_FAILED);
  if (!strstr(e.text, "engine f16") || !strstr(e.text, "signal 11")) fail_msg("%s", e.text);
  assert_int_equal(tern_worker_pid(f16), -1);
  assert_int_equal(tern_worker_prepare(f16, &deep, &one, 0, &e), TERN_FAILED);
  measure(ternary, &prefill, 1);
  tern_worker_end(f16);
  tern_worker_end(ternary);
}

static void an_engine_that_cannot_open_says_why(void **state) {
  (void)state;
  tern_error e = {0};
  tern_worker *w;
  assert_int_equal(try_start(&w, "ternary", "no/such.gguf", 0, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "no/such.gguf"));
  tern_worker_end(w);
}

/* utime + stime of a process in clock ticks. */
static long cpu_ticks(pid_t pid) {
  char path[64];
  unsigned long user = 0, system = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  assert_int_equal(fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
  fclose(f);
  return (long)(user + system);
}

static void an_idle_engine_uses_no_cpu(void **state) {
  (void)state;
  tern_worker *w = start("ternary");
  measure(w, &prefill, 2);
  nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL); /* the team's spinning ends */
  long before = cpu_ticks(tern_worker_pid(w));
  nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
  long spent = cpu_ticks(tern_worker_pid(w)) - before;
  if (spent > 2) fail_msg("%ld ticks in half a second", spent); /* 100 ticks a second a core */
  tern_worker_end(w);
}

static void engines_do_not_outlive_their_parent(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t parent = fork();
  if (parent == 0) {
    tern_error e = {0};
    tern_worker *w;
    if (try_start(&w, "ternary", model, 0, &e)) _exit(1); /* no cmocka assertion on this side of the fork */
    pid_t pid = tern_worker_pid(w);
    if (write(ends[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    pause();
  }
  close(ends[1]);
  pid_t engine;
  assert_int_equal(read(ends[0], &engine, sizeof engine), (int)sizeof engine);
  assert_int_equal(kill(engine, 0), 0);
  kill(parent, SIGKILL);
  waitpid(parent, NULL, 0);
  int waited = 0;
  char path[64], state_letter = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)engine);
  for (; waited < 500; waited++) {
    FILE *f = fopen(path, "r");
    if (!f) break;
    if (fscanf(f, "%*d %*s %c", &state_letter) != 1) state_letter = 0;
    fclose(f);
    if (state_letter == 'Z') break; /* ended; the test's own init collects it */
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
  assert_true(waited < 500);
  close(ends[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(workloads_run_in_any_order_and_team),
      cmocka_unit_test(a_crash_is_one_line_and_the_others_go_on),
      cmocka_unit_test(every_token_is_timed),
      cmocka_unit_test(an_injected_slowdown_is_in_the_time),
      cmocka_unit_test(an_engine_that_cannot_open_says_why),
      cmocka_unit_test(an_idle_engine_uses_no_cpu),
      cmocka_unit_test(engines_do_not_outlive_their_parent),
  };
  return cmocka_run_group_tests(tests, make_model, drop_model);
}
