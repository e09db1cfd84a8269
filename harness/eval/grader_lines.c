/* Batches are started in order (starting waits for a free place) and read in
 * order; what is left of one that ended early makes a batch of its own. */
#include "harness/eval/grader_lines.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { START_S = 60, OUTPUT_EACH = 1 << 10 };

typedef struct batch {
  size_t from, to;
  int ticket;
} batch;

static char *make_input(const json_t *asks, size_t from, size_t to) {
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  for (size_t i = from; f != NULL && i < to; i++) {
    json_t *ask = json_copy(json_array_get(asks, i));
    json_object_set_new(ask, "n", json_integer((json_int_t)i));
    json_dumpf(ask, f, JSON_COMPACT);
    putc('\n', f);
    json_decref(ask);
  }
  if (f == NULL || fclose(f) != 0) {
    free(text);
    return NULL;
  }
  return text;
}

static int start(tern_sandbox *s, const tern_grader *g, const json_t *asks, batch *b, tern_error *e) {
  double seconds = START_S + g->item_s * (double)(b->to - b->from);
  const tern_sandbox_limits limits = {.wall_s = seconds,
                                      .cpu_s = seconds,
                                      .memory = (size_t)2 << 30,
                                      .file = 1 << 20,
                                      .output = (b->to - b->from + 64) * OUTPUT_EACH,
                                      .processes = 32,
                                      .files = 128};
  char *input = make_input(asks, b->from, b->to);
  if (input == NULL) return tern_fail(e, TERN_FAILED, "grader %s: out of memory", g->name);
  int status = tern_sandbox_start_grader(s, g->name, input, strlen(input), &limits, &b->ticket, e);
  free(input);
  return status;
}

/* Sorts the program's lines into about and answers; returns the first question without one. */
static size_t read_lines(char *output, const batch *b, json_t *answers, json_t **about) {
  char *rest = NULL;
  for (char *line = strtok_r(output, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    json_t *said = json_loads(line, 0, NULL);
    json_int_t n = json_integer_value(json_object_get(said, "n"));
    if (json_object_get(said, "about") != NULL && *about == NULL)
      *about = json_incref(said);
    else if (json_object_get(said, "is") != NULL && n >= (json_int_t)b->from && n < (json_int_t)b->to)
      json_array_set(answers, (size_t)n, said);
    json_decref(said);
  }
  size_t i = b->from;
  while (i < b->to && !json_is_null(json_array_get(answers, i))) i++;
  return i;
}

/* Waits for the batch, and asks what is left of it until nothing is. */
static int finish(tern_sandbox *s, const tern_grader *g, const json_t *asks, batch b, json_t *answers, json_t **about,
                  tern_error *e) {
  for (;;) {
    tern_sandbox_result r;
    int ticket = b.ticket;
    b.ticket = -1;
    if (tern_sandbox_wait(s, ticket, &r, e) != 0) return (int)e->status;
    size_t at = read_lines(r.output, &b, answers, about);
    bool fell = r.end == TERN_SANDBOX_EXIT && r.code != 0 && *about == NULL;
    if (fell) tern_fail(e, TERN_FAILED, "grader %s: exit code %d: %.200s", g->name, r.code, r.output);
    free(r.output);
    if (fell) return (int)e->status;
    if (at == b.to || json_object_get(*about, "error") != NULL) return 0;
    json_array_set_new(answers, at, json_pack("{s:s}", "ended", tern_sandbox_end_name(r.end)));
    b.from = at + 1;
    if (b.from == b.to) return 0;
    if (start(s, g, asks, &b, e) != 0) return (int)e->status;
  }
}

int tern_grader_ask(tern_sandbox *s, const tern_grader *g, const json_t *asks, json_t **answers, json_t **about,
                    tern_error *e) {
  size_t count = json_array_size(asks), started = 0;
  size_t batches =
      count == 0 ? 1 : (count + g->batch - 1) / g->batch; /* without questions, too, it tells its versions */
  batch *list = calloc(batches + 1, sizeof *list);
  int status = list == NULL ? tern_fail(e, TERN_FAILED, "grader %s: out of memory", g->name) : 0;
  *about = NULL;
  *answers = json_array();
  for (size_t i = 0; i < count; i++) json_array_append_new(*answers, json_null());
  for (size_t i = 0; i < batches && status == 0; i++) {
    list[i] = (batch){i * g->batch, i + 1 < batches ? (i + 1) * g->batch : count, -1};
    status = start(s, g, asks, &list[i], e);
    started += status == 0;
  }
  for (size_t i = 0; i < started; i++) {
    tern_error other = {0}; /* every ticket is waited for; the first failure is told */
    if (finish(s, g, asks, list[i], *answers, about, status == 0 ? e : &other) != 0 && status == 0)
      status = (int)e->status;
  }
  free(list);
  return status;
}
