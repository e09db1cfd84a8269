/* Peers without running one: what a template may say, what it becomes, which
 * workloads it can be asked for, and which pairs of runs can be subtracted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/peer_command.h"

static tern_peer_spec parse(const char *text) {
  tern_peer_spec s;
  tern_error e = {0};
  if (tern_peer_parse(&s, text, &e) != 0) fail_msg("%s: %s", text, e.text);
  return s;
}

static void assert_refused(const char *text, const char *part) {
  tern_peer_spec s;
  tern_error e = {0};
  assert_int_equal(tern_peer_parse(&s, text, &e), TERN_USAGE);
  if (!strstr(e.text, part)) fail_msg("\"%s\" does not say \"%s\"", e.text, part);
}

static void assert_expands(const char *text, const tern_peer_values *v, const char *expected) {
  tern_peer_spec s = parse(text);
  tern_error e = {0};
  char *command;
  assert_int_equal(tern_peer_expand(&s, v, &command, &e), 0);
  assert_string_equal(command, expected);
  free(command);
}

static void a_template_takes_its_values(void **state) {
  (void)state;
  int cpus[] = {3, 5};
  tern_peer_values v = {.model = "m.gguf", .threads = 2, .prompt = 512, .depth = 64, .batch = 128, .cpus = cpus};
  assert_expands("a:b=bench -m {model} -t {threads} -p {prompt} -n {gen} -d {depth} -ub {batch} -C {cpus}", &v,
                 "bench -m 'm.gguf' -t 2 -p 512 -n 0 -d 64 -ub 128 -C 3,5");
}

static void a_path_stays_one_word_of_the_shell(void **state) {
  (void)state;
  tern_peer_values v = {.model = "it's; $(rm) \"x\".gguf", .threads = 1};
  assert_expands("a=bench {model} {gen}", &v, "bench 'it'\\''s; $(rm) \"x\".gguf' 0");
}

static void a_twin_is_named_after_the_model(void **state) {
  (void)state;
  tern_peer_values v = {.model = "a b/m.gguf", .threads = 1, .gen = 7};
  assert_expands("a=b -m {stem}-tq2_0.gguf -n {gen}", &v, "b -m 'a b/m'-tq2_0.gguf -n 7");
}

static void braces_of_the_shell_are_left_alone(void **state) {
  (void)state;
  tern_peer_values v = {.model = "m", .threads = 1, .gen = 7};
  assert_expands("a={ ${HOME}/b {model} -n {gen}; } | awk '{{print}'", &v, "{ ${HOME}/b 'm' -n 7; } | awk '{print}'");
}

static void a_template_that_cannot_work_is_refused_with_the_reason(void **state) {
  (void)state;
  assert_refused("a=b {model} {gen} {theads}", "{theads}; known: {model} {stem} {threads}");
  assert_refused("a=b -m \"{model}\" -n {gen}", "outside of quotes");
  assert_refused("a=b -n {gen}", "neither {model} nor a twin");
  assert_refused("a=b {model} {threads}", "neither {prompt} nor {gen}");
  assert_refused("a=b 'x {model} {gen}", "outside of quotes");
  assert_refused("a=b {model} {gen} 'x", "not closed");
  assert_refused("a=", "empty");
  assert_refused("=b {model} {gen}", "NAME=COMMAND");
  assert_refused("a b=c {model} {gen}", "NAME=COMMAND");
  assert_refused("bench {model} {gen}", "NAME=COMMAND");
  assert_refused("a-name-that-is-longer-than-any-column-can-ever-be=b {model} {gen}", "longer");
  char *big = calloc(1, 9000);
  assert_non_null(big);
  memset(big, 'x', 8999);
  memcpy(big, "a=", 2);
  assert_refused(big, "longer");
  free(big);
}

static void a_team_needs_its_placeholder(void **state) {
  (void)state;
  tern_peer_spec s = parse("a=b {model} {gen}");
  tern_error e = {0};
  char *command;
  assert_int_equal(tern_peer_expand(&s, &(tern_peer_values){.model = "m", .threads = 2}, &command, &e), TERN_USAGE);
  assert_non_null(strstr(e.text, "{threads}"));
  assert_null(command);
}

static void a_command_is_asked_only_for_what_it_takes(void **state) {
  (void)state;
  tern_workload decode = {.name = "decode-64", .phase = TERN_PHASE_DECODE, .context = 1, .tokens = 64};
  tern_workload deep = {.name = "decode-64@512", .phase = TERN_PHASE_DECODE, .context = 512, .tokens = 64};
  tern_workload prefill = {.name = "prefill-512", .phase = TERN_PHASE_PREFILL, .tokens = 512};
  tern_workload fed = prefill;
  tern_peer_spec gen = parse("a=b {model} -n {gen}"), both = parse("a=b {model} -p {prompt} -n {gen} -d {depth}");
  char why[120] = "";
  fed.batch = 1;
  assert_true(tern_peer_can(&gen, &decode, why, sizeof why));
  assert_false(tern_peer_can(&gen, &prefill, why, sizeof why));
  assert_string_equal(why, "its command has no {prompt}, which prefill-512 needs");
  assert_false(tern_peer_can(&gen, &deep, why, sizeof why));
  assert_string_equal(why, "its command has no {depth}, which decode-64@512 needs");
  assert_true(tern_peer_can(&both, &deep, why, sizeof why));
  assert_true(tern_peer_can(&both, &prefill, why, sizeof why));
  assert_false(tern_peer_can(&both, &fed, why, sizeof why));
  assert_string_equal(why, "its command has no {batch}, which prefill-512 needs");
}

static void a_short_start_is_no_depth(void **state) {
  (void)state;
  tern_workload w = {.phase = TERN_PHASE_DECODE, .context = TERN_SHORT_CONTEXT, .tokens = 32};
  tern_peer_values v = tern_peer_ask(&w);
  assert_int_equal(v.depth, 0);
  assert_int_equal(v.gen, 32);
  assert_int_equal(v.prompt, 0);
  w.context++;
  assert_int_equal(tern_peer_ask(&w).depth, TERN_SHORT_CONTEXT + 1);
}

static void loading_cancels_where_the_clock_bears_it_out(void **state) {
  (void)state;
  char why[200] = "";
  tern_peer_result once = {.seconds = 5, .wall_s = 8}, twice = {.seconds = 10, .wall_s = 13.5};
  assert_true(tern_peer_pair(&once, &twice, why, sizeof why));
  twice.wall_s = 18; /* a warm-up as long as the run */
  assert_false(tern_peer_pair(&once, &twice, why, sizeof why));
  assert_non_null(strstr(why, "10.000 s longer, 5.000 s by its own account"));
  twice.wall_s = 11; /* the first run read its model from the disk */
  assert_false(tern_peer_pair(&once, &twice, why, sizeof why));
  twice.seconds = 5;
  assert_false(tern_peer_pair(&once, &twice, why, sizeof why));
  assert_non_null(strstr(why, "no more time"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_template_takes_its_values),
      cmocka_unit_test(a_path_stays_one_word_of_the_shell),
      cmocka_unit_test(a_twin_is_named_after_the_model),
      cmocka_unit_test(braces_of_the_shell_are_left_alone),
      cmocka_unit_test(a_template_that_cannot_work_is_refused_with_the_reason),
      cmocka_unit_test(a_team_needs_its_placeholder),
      cmocka_unit_test(a_command_is_asked_only_for_what_it_takes),
      cmocka_unit_test(a_short_start_is_no_depth),
      cmocka_unit_test(loading_cancels_where_the_clock_bears_it_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
