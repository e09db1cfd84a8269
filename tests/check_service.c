/* The server as its clients meet it: a real one on loopback, with a tiny model.
 * What it says is what the engine gives alone; nobody can break it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <math.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/model/model.h"
#include "tests/program.h"
#include "tests/service_client.h"

enum { CLIENTS = 12, VOCAB = 512, LENGTH = 40 };

static served server;
static char model[300];

static int setup(void **state) {
  program_setup(state);
  snprintf(model, sizeof model, "%.250s/tiny.gguf", program_dir);
  program_expect(0, ARGS("synth", "2B4T", "--tiny", "--layers", "2", "-o", model));
  server = serve_start(model, ARGS("-t", "1", "--context", "512", "--parallel", "4", "--max-body", "1", "--queue",
                                   "2000", "--idle", "1"));
  return 0;
}

static int teardown(void **state) {
  serve_stop(&server);
  return program_teardown(state);
}

static json_t *health(void) {
  got g = serve_ask(&server, "/health", NULL, 0, 0);
  assert_int_equal(g.code, 200);
  json_t *root = json_incref(g.json);
  got_free(&g);
  return root;
}

static void expect_healthy(void) {
  json_t *h = health();
  assert_string_equal(json_string_value(json_object_get(h, "status")), "ok");
  json_decref(h);
}

/* Log-probabilities of ids[1..n-1] by a session of our own, and each greatest. */
static void score_alone(const int32_t *ids, int n, double *logprobs, double *best) {
  tern_error e = {0};
  tern_gguf *g;
  tern_team *team;
  tern_model *m;
  tern_session *s;
  const tern_model_params p = {.isa_cap = TERN_ISA_COUNT, .any_layout = true};
  float *logits = malloc((size_t)n * VOCAB * sizeof *logits);
  assert_int_equal(tern_gguf_open(&g, model, &e), 0);
  assert_int_equal(tern_team_open(&team, 1, NULL, &e), 0);
  if (tern_model_load(&m, g, &p, team, &e)) fail_msg("%s", e.text);
  assert_int_equal(tern_session_open(&s, m, team, &(tern_session_params){.context = 64}, &e), 0);
  assert_int_equal(tern_session_eval(s, ids, n, TERN_WANT_ALL, logits, &e), 0);
  for (int i = 1; i < n; i++) {
    const float *x = logits + (size_t)(i - 1) * VOCAB;
    double most = -INFINITY, sum = 0;
    for (int k = 0; k < VOCAB; k++) most = fmax(most, x[k]);
    for (int k = 0; k < VOCAB; k++) sum += exp(x[k] - most);
    logprobs[i] = x[ids[i]] - most - log(sum);
    best[i] = -log(sum);
  }
  tern_session_close(s);
  tern_model_close(m);
  tern_team_close(team);
  tern_gguf_close(g);
  free(logits);
}

static double greatest(const json_t *top) {
  double most = -INFINITY;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)top, key, value) most = fmax(most, json_number_value(value));
  return most;
}

static char *ids_body(const int32_t *ids, int n, const char *rest) {
  char *text;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  fputs("{\"prompt\": [[", f);
  for (int i = 0; i < n; i++) fprintf(f, "%s%d", i ? "," : "", ids[i]);
  fprintf(f, "]]%s}", rest);
  fclose(f);
  return text;
}

static void echoed_log_probabilities_are_the_models(void **state) {
  int32_t ids[LENGTH];
  double logprobs[LENGTH], best[LENGTH];
  (void)state;
  for (int i = 0; i < LENGTH; i++) ids[i] = (i * 37 + 11) % VOCAB;
  score_alone(ids, LENGTH, logprobs, best);
  char *body = ids_body(ids, LENGTH, ",\"max_tokens\":1,\"temperature\":0,\"logprobs\":1,\"echo\":true,\"seed\":1234");
  got g = serve_post(&server, body);
  assert_int_equal(g.code, 200);
  const json_t *l = json_object_get(json_array_get(json_object_get(g.json, "choices"), 0), "logprobs");
  const json_t *told = json_object_get(l, "token_logprobs"), *tops = json_object_get(l, "top_logprobs");
  assert_int_equal(json_array_size(told), LENGTH + 1); /* one generated behind */
  assert_int_equal(json_array_size(tops), LENGTH + 1);
  assert_int_equal(json_array_size(json_object_get(l, "tokens")), LENGTH + 1);
  assert_true(json_is_null(json_array_get(told, 0)) && json_is_null(json_array_get(tops, 0)));
  for (size_t i = 1; i < LENGTH; i++) {
    assert_true(fabs(json_real_value(json_array_get(told, i)) - logprobs[i]) < 1e-5);
    assert_true(fabs(greatest(json_array_get(tops, i)) - best[i]) < 1e-5);
  }
  /* the generated token is the likeliest: equal to the greatest, in all digits */
  double last = json_real_value(json_array_get(told, LENGTH));
  assert_true(last < 0 && last == greatest(json_array_get(tops, LENGTH)));
  got_free(&g);
  free(body);
}

static void prompt_of_one_token_has_only_the_generated_score(void **state) {
  got g = serve_post(&server,
                     "{\"prompt\": [[5]], \"max_tokens\": 1, \"temperature\": 0, \"logprobs\": 1, \"echo\": true}");
  (void)state;
  assert_int_equal(g.code, 200);
  const json_t *l = json_object_get(json_array_get(json_object_get(g.json, "choices"), 0), "logprobs");
  const json_t *told = json_object_get(l, "token_logprobs");
  assert_int_equal(json_array_size(told), 2);
  assert_true(json_is_null(json_array_get(told, 0)) && json_is_real(json_array_get(told, 1)));
  got_free(&g);
}

static void text_is_what_run_writes(void **state) {
  static char kept[4096];
  (void)state;
  /* run writes its statistics where the server's port was told: that is known by now */
  program_expect(0, ARGS("run", model, "-p", "Ternary", "-n", "24", "-t", "1", "--context", "512"));
  char *out = scratch_read(program_dir, "out");
  snprintf(kept, sizeof kept, "%s", out);
  free(out);
  size_t n = 0; /* as far as it is ASCII: run writes broken characters as they are, JSON cannot */
  while (kept[n] > 0 && kept[n] != '\n') n++;
  assert_true(n >= 8);
  got g = serve_post(&server, "{\"prompt\": [\"Ternary\", \"Ternary\"], \"max_tokens\": 24, \"temperature\": 0}");
  assert_int_equal(g.code, 200);
  for (size_t i = 0; i < 2; i++)
    if (strncmp(got_text(&g, i), kept, n) != 0) fail_msg("'%s' is not '%s'", got_text(&g, i), kept);
  got_free(&g);
}

typedef struct client {
  pthread_t thread;
  char body[200];
  got alone, together;
} client;

static void *ask_again(void *arg) {
  client *c = arg;
  c->together = serve_post(&server, c->body);
  return NULL;
}

static void clients_together_get_what_each_gets_alone(void **state) {
  static client clients[CLIENTS];
  (void)state;
  for (int i = 0; i < CLIENTS; i++) {
    client *c = &clients[i];
    snprintf(
        c->body, sizeof c->body,
        "{\"prompt\": [[%d,9,3],[9,9,%d,7]], \"max_tokens\": %d, \"temperature\": %d, \"seed\": %d, \"logprobs\": 1%s}",
        i, i, 5 + 11 * i, i % 2, i, i % 3 == 0 ? ", \"echo\": true" : "");
    c->alone = serve_post(&server, c->body);
    assert_int_equal(c->alone.code, 200);
  }
  for (int i = 0; i < CLIENTS; i++) pthread_create(&clients[i].thread, NULL, ask_again, &clients[i]);
  for (int i = 0; i < CLIENTS; i++) {
    client *c = &clients[i];
    pthread_join(c->thread, NULL);
    assert_int_equal(c->together.code, 200);
    if (!json_equal(json_object_get(c->alone.json, "choices"), json_object_get(c->together.json, "choices")))
      fail_msg("%s: alone %s, together %s", c->body, c->alone.text, c->together.text);
    got_free(&c->alone);
    got_free(&c->together);
  }
}

static void bad_requests_get_json_errors_and_harm_nobody(void **state) {
  static const struct {
    const char *path, *body;
    long code;
    const char *says;
  } rows[] = {
      {"/v1/completions", "", 400, "not JSON"},
      {"/v1/completions", "{\"prompt\": ", 400, "not JSON"},
      {"/v1/completions", "{\"prompt\": \"\xc3\x28\"}", 400, "not JSON"},
      {"/v1/completions", "{\"prompt\": [512]}", 400, "id 0"},
      {"/v1/completions", "{\"prompt\": \"a\", \"stream\": true}", 400, "stream"},
      {"/v1/completions", NULL, 405, "POST"},
      {"/v1/models", "{}", 405, "GET"},
      {"/v1/nothing", NULL, 404, "no such path"},
      {"/../../etc/passwd", NULL, 404, "no such path"},
      {"/%00%ff%0a", NULL, 404, "no such path"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    got g = serve_ask(&server, rows[i].path, rows[i].body, rows[i].body ? strlen(rows[i].body) : 0, 0);
    const json_t *error = json_object_get(g.json, "error");
    if (g.code != rows[i].code || !error) fail_msg("row %zu: %ld %s", i, g.code, g.text);
    assert_int_equal(json_integer_value(json_object_get(error, "code")), rows[i].code);
    if (!strstr(json_string_value(json_object_get(error, "message")), rows[i].says)) fail_msg("row %zu: %s", i, g.text);
    got_free(&g);
    expect_healthy();
  }
}

static void prompts_longer_than_the_context_are_refused_with_both_sizes(void **state) {
  int32_t ids[600] = {0};
  char *body = ids_body(ids, 600, ",\"max_tokens\":1");
  (void)state;
  got g = serve_post(&server, body);
  assert_int_equal(g.code, 400);
  assert_non_null(strstr(g.text, "600"));
  assert_non_null(strstr(g.text, "512"));
  got_free(&g);
  free(body);
}

static void bodies_above_the_limit_are_refused_told_or_not(void **state) {
  enum { SIZE = (1 << 20) + 200000 };
  char *body = malloc(SIZE);
  (void)state;
  memset(body, ' ', SIZE);
  for (int chunked = 0; chunked < 2; chunked++) {
    got g = serve_ask(&server, "/v1/completions", body, SIZE, chunked);
    assert_int_equal(g.code, 413);
    got_free(&g);
  }
  free(body);
  expect_healthy();
}

static long status_of_small_request(void) {
  got g = serve_post(&server, "{\"prompt\": [1], \"max_tokens\": 1}");
  long code = g.code;
  got_free(&g);
  return code;
}

/* Each within its limit: together they would take all memory. */
static void large_bodies_together_are_bounded(void **state) {
  enum { BODIES = 5, SIZE = 1000000, ATTEMPTS = 100000 };
  static const char head[] = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n";
  char *bytes = malloc(sizeof head - 1 + SIZE);
  int fds[BODIES];
  (void)state;
  memcpy(bytes, head, sizeof head - 1);
  memset(bytes + sizeof head - 1, ' ', SIZE);
  for (int i = 0; i < BODIES; i++) fds[i] = serve_connect(&server, bytes, sizeof head - 1 + SIZE);
  for (int i = 0; status_of_small_request() != 503; i++) assert_true(i < ATTEMPTS);
  for (int i = 0; i < BODIES; i++) close(fds[i]);
  for (int i = 0; status_of_small_request() != 200; i++) assert_true(i < ATTEMPTS);
  free(bytes);
}

static void more_prompts_than_the_queue_takes_are_refused(void **state) {
  char *body;
  size_t size;
  FILE *f = open_memstream(&body, &size);
  (void)state;
  fputs("{\"max_tokens\": 1, \"prompt\": [[1]", f);
  for (int i = 0; i < 2000; i++) fputs(",[1]", f);
  fputs("]}", f);
  fclose(f);
  got g = serve_post(&server, body);
  assert_int_equal(g.code, 400);
  assert_non_null(strstr(g.text, "at most 2000"));
  got_free(&g);
  free(body);
}

static void half_requests_and_noise_harm_nobody(void **state) {
  static const char *const noise[] = {
      "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"prompt\":",
      "POST /v1/completions HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
      "POST /v1/completions HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
      "POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
      "GET",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "\r\n\r\n\r\n",
  };
  (void)state;
  int fds[sizeof noise / sizeof *noise];
  for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) fds[i] = serve_connect(&server, noise[i], strlen(noise[i]));
  expect_healthy();
  for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) close(fds[i]);
  expect_healthy();
}

/* Enough work that its end does not come before somebody looks. */
static char *long_body(int prompts) {
  char *body;
  size_t size;
  FILE *f = open_memstream(&body, &size);
  fputs("{\"max_tokens\": 500, \"temperature\": 1, \"prompt\": [[1]", f);
  for (int i = 1; i < prompts; i++) fprintf(f, ",[%d]", i % VOCAB);
  fputs("]}", f);
  fclose(f);
  return body;
}

static int prompts_underway(void) {
  json_t *h = health();
  int n = (int)json_integer_value(json_object_get(h, "prompts"));
  json_decref(h);
  return n;
}

static void client_that_hangs_up_frees_its_place(void **state) {
  char *body = long_body(1900), head[200];
  (void)state;
  snprintf(head, sizeof head, "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", strlen(body));
  int fd = serve_connect(&server, head, strlen(head));
  assert_int_equal(write(fd, body, strlen(body)), (ssize_t)strlen(body));
  while (prompts_underway() == 0) continue;
  close(fd);
  while (prompts_underway() > 0) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  json_t *h = health();
  assert_int_equal(json_integer_value(json_object_get(h, "cancelled")), 1);
  json_decref(h);
  free(body);
}

static served own; /* of the tests that end theirs */

static int own_setup(void **state) {
  program_setup(state);
  snprintf(model, sizeof model, "%.250s/tiny.gguf", program_dir);
  program_expect(0, ARGS("synth", "2B4T", "--tiny", "--layers", "2", "-o", model));
  own = serve_start(model, ARGS("-t", "1", "--context", "512", "--idle", "1"));
  return 0;
}

static void *ask_long(void *arg) {
  char *body = long_body(60);
  *(got *)arg = serve_post(&own, body);
  free(body);
  return NULL;
}

/* Also: a reply that takes longer than --idle is sent nevertheless. */
static void term_lets_what_is_underway_finish(void **state) {
  got g;
  pthread_t thread;
  (void)state;
  pthread_create(&thread, NULL, ask_long, &g);
  server = own;
  while (prompts_underway() == 0) continue;
  serve_stop(&own);
  pthread_join(thread, NULL);
  assert_int_equal(g.code, 200);
  assert_int_equal(json_array_size(json_object_get(g.json, "choices")), 60);
  got_free(&g);
  got after = serve_ask(&own, "/health", NULL, 0, 0);
  assert_int_equal(after.code, 0);
  got_free(&after);
}

static void what_cannot_be_listened_on_is_said(void **state) {
  (void)state;
  char port[16];
  snprintf(port, sizeof port, "%d", own.port);
  program_expect(1, ARGS("serve", model, "-t", "1", "--port", port));
  program_says("err", "already in use");
  program_expect(1, ARGS("serve", model, "-t", "1", "--host", "no.such.host.invalid"));
  program_says("err", "no.such.host.invalid");
  program_expect(2, ARGS("serve"));
  program_expect(2, ARGS("serve", model, "--port", "70000"));
  serve_stop(&own);
}

int main(int argc, char **argv) {
  if (argc < 2 || program_find(argv[1]) != 0) return 1;
  curl_global_init(CURL_GLOBAL_ALL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(echoed_log_probabilities_are_the_models),
      cmocka_unit_test(prompt_of_one_token_has_only_the_generated_score),
      cmocka_unit_test(text_is_what_run_writes),
      cmocka_unit_test(clients_together_get_what_each_gets_alone),
      cmocka_unit_test(bad_requests_get_json_errors_and_harm_nobody),
      cmocka_unit_test(prompts_longer_than_the_context_are_refused_with_both_sizes),
      cmocka_unit_test(bodies_above_the_limit_are_refused_told_or_not),
      cmocka_unit_test(large_bodies_together_are_bounded),
      cmocka_unit_test(more_prompts_than_the_queue_takes_are_refused),
      cmocka_unit_test(half_requests_and_noise_harm_nobody),
      cmocka_unit_test(client_that_hangs_up_frees_its_place),
  };
  const struct CMUnitTest ends[] = {
      cmocka_unit_test_setup_teardown(term_lets_what_is_underway_finish, own_setup, program_teardown),
      cmocka_unit_test_setup_teardown(what_cannot_be_listened_on_is_said, own_setup, program_teardown),
  };
  return cmocka_run_group_tests(tests, setup, teardown) + cmocka_run_group_tests(ends, NULL, NULL);
}
