/* A metric of texts over responses, sandbox included:
 *   eval_score METRIC [DATA]   {"row", "response"} a line -> its figures a line, then {"facts"} */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/document.h"
#include "harness/eval/sandbox_python.h"
#include "harness/eval/score.h"

typedef struct input {
  tern_scored *items;
  tern_document *documents;
  size_t count;
} input;

static void add(input *in, json_t *line) {
  size_t n = in->count++;
  in->items = realloc(in->items, in->count * sizeof *in->items);
  in->items[n] = (tern_scored){.row = json_object_get(line, "row"),
                               .filtered = json_string_value(json_object_get(line, "response")),
                               .figures = json_object(),
                               .facts = json_object()};
}

static void read_all(input *in, json_t *lines) {
  char *line = NULL;
  size_t room = 0, i;
  json_t *item;
  while (getline(&line, &room, stdin) >= 0) json_array_append_new(lines, json_loads(line, 0, NULL));
  json_array_foreach(lines, i, item) add(in, item);
  in->documents = calloc(in->count + 1, sizeof *in->documents);
  for (i = 0; i < in->count; i++) {
    in->documents[i].id = i;
    in->items[i].document = &in->documents[i];
  }
  free(line);
}

int main(int argc, char **argv) {
  tern_error e = {0};
  input in = {0};
  tern_sandbox *sandbox = NULL;
  json_t *lines = json_array(), *facts = json_object();
  const tern_metric *m = argc > 1 ? tern_metric_find(argv[1]) : NULL;
  if (m == NULL) {
    fprintf(stderr, "usage: eval_score METRIC [DATA]\n");
    return 2;
  }
  read_all(&in, lines);
  int status = m->grader == NULL ? 0 : tern_sandbox_open_python(&sandbox, 2, &e);
  tern_score_call call = {.sandbox = sandbox, .data = argc > 2 ? argv[2] : NULL, .facts = facts};
  if (status == 0) status = m->score(&call, in.items, in.count, &e);
  if (status != 0) fprintf(stderr, "%s\n", e.text);
  for (size_t i = 0; i < in.count; i++) {
    if (status == 0) json_dumpf(in.items[i].figures, stdout, JSON_COMPACT | JSON_SORT_KEYS), putchar('\n');
    json_decref(in.items[i].figures);
    json_decref(in.items[i].facts);
  }
  if (status == 0) json_dumpf(facts, stdout, JSON_COMPACT | JSON_SORT_KEYS), putchar('\n');
  free(in.items);
  free(in.documents);
  json_decref(lines);
  json_decref(facts);
  tern_sandbox_close(sandbox);
  return status == 0 ? 0 : 1;
}
