#include "harness/eval/items.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line's values under their keys in an item. */
static const char *const copied[][2] = {
    {"doc_id", "id"}, {"doc_hash", "doc"}, {"prompt_hash", "asked"}, {"target", "target"}};
static const char *const own[] = {"prompt", "truncated", "tokens"};

/* "-1.5" or ["-1.5", "True"]. */
static bool take_score(json_t *lls, json_t *greedy, const json_t *said) {
  const char *number = json_string_value(said), *flag = NULL;
  char *end;
  if (json_is_array(said) && json_unpack((json_t *)said, "[s, s!]", &number, &flag) != 0) return false;
  if (number == NULL) return false;
  double v = strtod(number, &end);
  if (end == number || *end != '\0') return false;
  /* what JSON has no number for stays text */
  json_t *value = json_real(v);
  json_array_append_new(lls, value != NULL ? value : json_string(number));
  if (flag != NULL) json_array_append_new(greedy, json_boolean(strcmp(flag, "True") == 0));
  return true;
}

/* Rolling figures are pairs of numbers; two instructions' verdicts are booleans. */
static bool is_score(const json_t *line, const json_t *said) {
  const char *metric = json_string_value(json_array_get(json_object_get(line, "metrics"), 0));
  const json_t *figure = metric != NULL ? json_object_get(line, metric) : NULL;
  return json_is_array(said) || (json_array_size(figure) == 2 && json_is_number(json_array_get(figure, 0)));
}

static bool take_answers(json_t *item, const json_t *line) {
  json_t *lls = json_array(), *greedy = json_array(), *text = json_array(), *resp;
  const json_t *resps = json_object_get(line, "resps");
  size_t i;
  bool ok = json_array_size(resps) > 0;
  json_array_foreach((json_t *)resps, i, resp) {
    const json_t *said = json_array_get(resp, 0);
    if (said == NULL)
      ok = false;
    else if (is_score(line, said))
      ok = ok && take_score(lls, greedy, said);
    else
      json_array_append(text, (json_t *)said);
  }
  if (json_array_size(text) > 0) {
    json_object_set(item, "text", text);
  } else {
    json_object_set(item, "lls", lls);
    if (json_array_size(greedy) > 0) json_object_set(item, "greedy", greedy);
  }
  json_decref(lls);
  json_decref(greedy);
  json_decref(text);
  return ok;
}

static bool set_named(json_t *to, const char *name, const char *filter, json_t *value) {
  char key[256];
  int n = snprintf(key, sizeof key, "%s,%s", name, filter);
  if (value == NULL || n < 0 || (size_t)n >= sizeof key || json_object_get(to, key) != NULL) return false;
  return json_object_set(to, key, value) == 0;
}

static bool take_figures(json_t *item, const json_t *line) {
  const char *filter = json_string_value(json_object_get(line, "filter")), *name;
  json_t *metric, *value, *figures = json_object_get(item, "figures"), *facts = json_object_get(item, "facts");
  size_t i;
  bool ok = filter != NULL;
  json_array_foreach(json_object_get(line, "metrics"), i, metric) {
    name = json_string_value(metric);
    ok = ok && name != NULL && set_named(figures, name, filter, json_object_get(line, name));
  }
  json_object_foreach(json_object_get(json_object_get(line, "ternmark"), "facts"), name, value) ok =
      ok && set_named(facts, name, filter, value);
  return ok;
}

static json_t *new_item(const json_t *line) {
  json_t *item = json_pack("{s:{}, s:{}}", "figures", "facts"), *value;
  const json_t *ours = json_object_get(line, "ternmark");
  for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
    if ((value = json_object_get(line, copied[i][0])) != NULL) json_object_set(item, copied[i][1], value);
  }
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    if ((value = json_object_get(ours, own[i])) != NULL) json_object_set(item, own[i], value);
  }
  if (item != NULL && take_answers(item, line)) return item;
  json_decref(item);
  return NULL;
}

typedef struct reader {
  const char *path;
  json_t *items, *by_id;
} reader;

/* A further filter's line of an item adds figures to it. */
static int take_line(reader *r, const char *text, size_t size, size_t number, tern_error *e) {
  json_error_t wrong;
  char id[24];
  json_t *line = json_loadb(text, size, JSON_ALLOW_NUL, &wrong), *item;
  if (line == NULL) return tern_fail(e, TERN_FAILED, "%s: line %zu: %s", r->path, number, wrong.text);
  const json_t *doc_id = json_object_get(line, "doc_id");
  snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT, json_integer_value(doc_id));
  if ((item = json_object_get(r->by_id, id)) == NULL && (item = new_item(line)) != NULL) {
    json_array_append(r->items, item);
    json_object_set_new(r->by_id, id, item);
  }
  bool ok = json_is_integer(doc_id) && item != NULL && take_figures(item, line);
  json_decref(line);
  if (ok) return 0;
  return tern_fail(
      e, TERN_FAILED,
      "%s: line %zu: no sample of lm-eval's form (doc_id, resps, filter, metrics), or a second of its item", r->path,
      number);
}

static int compare_ids(const void *a, const void *b) {
  json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "id"));
  json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "id"));
  return (x > y) - (x < y);
}

static json_t *sorted(const json_t *items) {
  size_t n = json_array_size(items), i;
  json_t **list = calloc(n + 1, sizeof *list), *item, *out = json_array();
  if (list == NULL || out == NULL) {
    free(list);
    json_decref(out);
    return NULL;
  }
  json_array_foreach((json_t *)items, i, item) list[i] = item;
  qsort(list, n, sizeof *list, compare_ids);
  for (i = 0; i < n; i++) json_array_append(out, list[i]);
  free(list);
  return out;
}

int tern_items_read(json_t **out, const char *samples, tern_error *e) {
  reader r = {.path = samples, .items = json_array(), .by_id = json_object()};
  char *text = NULL;
  size_t room = 0;
  ssize_t size;
  int status = 0;
  *out = NULL;
  FILE *from = fopen(samples, "re");
  if (from == NULL) status = tern_fail_errno(e, "%s: cannot read", samples);
  for (size_t number = 1; status == 0 && (size = getline(&text, &room, from)) >= 0; number++)
    status = take_line(&r, text, (size_t)size, number, e);
  if (status == 0 && ferror(from)) status = tern_fail_errno(e, "%s: cannot read", samples);
  if (status == 0 && (*out = sorted(r.items)) == NULL) status = tern_fail(e, TERN_FAILED, "%s: out of memory", samples);
  if (from != NULL) fclose(from);
  free(text);
  json_decref(r.items);
  json_decref(r.by_id);
  return status;
}
