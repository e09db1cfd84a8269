/* Profiles of an engine in its own process: times first, then the counters of
 * every pass, in one file, and the calls after it are measured as before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/format/synth.h"
#include "harness/profile.h"
#include "harness/worker.h"
#include "tests/scratch.h"

enum { IDS = 64, THREADS = 2, GEN = 8, TEXT_ROOM = 1 << 18 };

static char dir[256], model[300], file[300];
static int32_t ids[IDS];
static const tern_prompt prompt = {.ids = ids, .count = IDS};
static const tern_workload load = {.name = "decode-8@32", .phase = TERN_PHASE_DECODE, .context = 32, .tokens = GEN};

static int make_model(void **state) {
  (void)state;
  tern_error e = {0};
  tern_team *team;
  scratch_make(dir, sizeof dir);
  snprintf(model, sizeof model, "%s/tiny.gguf", dir);
  snprintf(file, sizeof file, "%s/profile.csv", dir);
  for (int i = 0; i < IDS; i++) ids[i] = i;
  if (tern_team_open(&team, 1, NULL, &e)) return -1;
  int bad = tern_synth(model, &tern_synth_tiny, &(tern_synth_params){.seed = 1}, team, &e);
  tern_team_close(team);
  return bad;
}

static int drop_model(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

/* Rows with all these texts. */
static int rows(const char *text, const char *a, const char *b) {
  char line[2048];
  int n = 0;
  for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
    snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
    n += strstr(line, a) && strstr(line, b);
  }
  return n;
}

static void times_then_counters_and_nothing_else_changes(void **state) {
  (void)state;
  static char text[TEXT_ROOM];
  tern_error e = {0};
  tern_worker *w;
  tern_worker_facts facts = {0};
  tern_worker_result r = {0};
  tern_team_spec team = {.threads = THREADS, .placement = "cores"};
  tern_worker_spec spec = {.name = "ternary",
                           .runner = {.engine = "ternary",
                                      .model_path = model,
                                      .threads = 1,
                                      .context = IDS,
                                      .kv = TERN_KV_F16,
                                      .isa_cap = TERN_ISA_COUNT},
                           .prompts = &prompt,
                           .model = "tiny",
                           .profile = file};
  if (tern_worker_start(&w, &spec, &e) || tern_worker_open(w, &facts, &e)) fail_msg("%s", e.text);
  assert_true(facts.counters_cost > 0);
  if (tern_worker_profile(w, &load, &team, &e)) fail_msg("%s", e.text); /* another team than the one that loaded */
  FILE *f = fopen(file, "r");
  assert_non_null(f);
  text[fread(text, 1, sizeof text - 1, f)] = '\0';
  fclose(f);
  const char *times = "\"ternary\",\"tiny\",\"cores\",\"decode-8@32\",\"decode\",,2,",
             *first = "\"ternary\",\"tiny\",\"cores\",\"decode-8@32\",\"decode\",0,2,";
  assert_int_equal(rows(text, times, ",qkv,"), 1 + THREADS);
  assert_int_equal(rows(text, first, ",qkv,"), 1 + THREADS);
  assert_int_equal(rows(text, times, ",meter,"), 0); /* counters cost nothing where times alone are told */
  assert_int_equal(rows(text, first, ",meter,"), 1 + THREADS);
  assert_int_equal(rows(text, ",all,8,8,", ",head,"), 1 + facts.passes); /* 8 chunks of one token */
  if (tern_worker_prepare(w, &load, &team, 0, &e) || tern_worker_run(w, &load, &r, &e)) fail_msg("%s", e.text);
  assert_true(r.seconds > 0 && r.token_p50 > 0);
  tern_worker_end(w);
}

static void a_file_that_cannot_be_written_is_one_line(void **state) {
  (void)state;
  tern_error e = {0};
  tern_worker *w;
  tern_worker_facts facts = {0};
  tern_team_spec team = {.threads = 1};
  tern_worker_spec spec = {
      .name = "ternary",
      .runner = {.engine = "ternary", .model_path = model, .threads = 1, .context = IDS, .isa_cap = TERN_ISA_COUNT},
      .prompts = &prompt,
      .model = "tiny",
      .profile = "/nowhere/profile.csv"};
  if (tern_worker_start(&w, &spec, &e) || tern_worker_open(w, &facts, &e)) fail_msg("%s", e.text);
  assert_int_equal(tern_worker_profile(w, &load, &team, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "/nowhere/profile.csv: cannot write the profile"));
  tern_worker_end(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_then_counters_and_nothing_else_changes),
      cmocka_unit_test(a_file_that_cannot_be_written_is_one_line),
  };
  return cmocka_run_group_tests(tests, make_model, drop_model);
}
