/* The keys that say how a row is worded. */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/task_parts.h"

static int no_memory(const char *where, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
}

int tern_key_template(void *to, const json_t *value, const char *where, tern_error *e) {
  char *text = NULL;
  int status = tern_key_blank(&text, value, where, e);
  if (status == 0) status = tern_template_open(to, text, where, e);
  free(text);
  return status;
}

static int read_templates(tern_task_list *l, const json_t *list, const char *where, tern_error *e) {
  size_t count = json_array_size(list);
  if (count == 0 || count > 1000) return tern_fail(e, TERN_FAILED, "%s: has no entries or more than 1000", where);
  if ((l->texts = calloc(count, sizeof *l->texts)) == NULL) return no_memory(where, e);
  for (size_t i = 0; i < count; i++) {
    if (tern_key_template(&l->texts[i], json_array_get(list, i), where, e) != 0) return (int)e->status;
    l->count++;
  }
  return 0;
}

/* {"list": PATH, "each": TEMPLATE}, or "keys" or "values" for an object's. */
static int read_path(tern_task_list *l, const json_t *object, const char *where, tern_error *e) {
  static const tern_key keys[] = {{"list", tern_key_text, 0, false},
                                  {"keys", tern_key_text, sizeof(char *), false},
                                  {"values", tern_key_text, 2 * sizeof(char *), false}};
  static const tern_key each[] = {{"each", tern_key_template, offsetof(tern_task_list, each), false}};
  char *paths[3] = {NULL, NULL, NULL};
  const tern_keys tables[] = {{keys, 3, paths}, {each, 1, l}};
  int status = tern_keys_read(object, tables, 2, where, e), found = 0;
  for (int i = 0; i < 3; i++) {
    if (paths[i] == NULL) continue;
    if (found++ == 0) {
      l->path = paths[i];
      l->of = i == 0 ? TERN_LIST_ENTRIES : i == 1 ? TERN_LIST_KEYS : TERN_LIST_VALUES;
    } else {
      free(paths[i]);
    }
  }
  if (status == 0 && found != 1)
    status = tern_fail(e, TERN_FAILED, "%s: one of \"list\", \"keys\" and \"values\" is needed", where);
  return status;
}

int tern_key_texts(void *to, const json_t *value, const char *where, tern_error *e) {
  tern_task_list *l = to;
  l->given = true;
  if (json_is_string(value)) return tern_key_text(&l->path, value, where, e);
  if (json_is_array(value)) return read_templates(l, value, where, e);
  if (json_is_object(value)) return read_path(l, value, where, e);
  return tern_fail(e, TERN_FAILED,
                   "%s: a field's path, a list of templates or an object {\"list\": PATH, \"each\": TEMPLATE} was "
                   "expected",
                   where);
}

int tern_key_fields(void *to, const json_t *value, const char *where, tern_error *e) {
  tern_wording *w = to;
  const char *name;
  json_t *text;
  if (!json_is_object(value)) return tern_fail(e, TERN_FAILED, "%s: an object was expected", where);
  size_t count = json_object_size(value);
  w->field_names = calloc(count + 1, sizeof *w->field_names);
  w->fields = calloc(count + 1, sizeof *w->fields);
  if (w->field_names == NULL || w->fields == NULL) return no_memory(where, e);
  json_object_foreach((json_t *)value, name, text) {
    char at[400];
    tern_key_where(at, sizeof at, where, name);
    if (strpbrk(name, ".|{}") != NULL || *name == '\0')
      return tern_fail(e, TERN_FAILED, "%s: a field's name must not be empty or have . | { }", at);
    if ((w->field_names[w->field_count] = strdup(name)) == NULL) return no_memory(where, e);
    w->field_count++;
    if (tern_key_template(&w->fields[w->field_count - 1], text, at, e) != 0) return (int)e->status;
  }
  return 0;
}

int tern_key_gold_is(void *to, const json_t *value, const char *where, tern_error *e) {
  static const char *const names[] = {"index", "one-based", "letter", "text", "label"};
  const char *name = json_string_value(value);
  for (int i = 0; name != NULL && i < 5; i++) {
    if (strcmp(names[i], name) != 0) continue;
    *(tern_gold_is *)to = (tern_gold_is)i;
    return 0;
  }
  char advice[200];
  tern_key_advice(advice, sizeof advice, name ? name : "", names, 5);
  return tern_fail(e, TERN_FAILED, "%s: unknown \"%.40s\"; %s", where, name ? name : "", advice);
}

int tern_key_sampler(void *to, const json_t *value, const char *where, tern_error *e) {
  const char *name = json_string_value(value);
  bool first = name != NULL && strcmp(name, "first_n") == 0;
  if (!first && (name == NULL || strcmp(name, "random") != 0))
    return tern_fail(e, TERN_FAILED, "%s: \"random\" or \"first_n\" was expected", where);
  *(tern_shot_sampler *)to = first ? TERN_SHOTS_FIRST : TERN_SHOTS_RANDOM;
  return 0;
}

int tern_key_manifest(void *to, const json_t *value, const char *where, tern_error *e) {
  static const tern_key keys[] = {{"manifest", tern_key_text, 0, true}};
  const tern_keys table = {keys, 1, to};
  if (tern_keys_read(value, &table, 1, where, e) != 0) return (int)e->status;
  const char *name = *(char **)to;
  if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(name)) return 0;
  return tern_fail(e, TERN_FAILED, "%s.manifest: letters, digits, - and _ were expected, not \"%.40s\"", where, name);
}

int tern_key_shot_rows(void *to, const json_t *value, const char *where, tern_error *e) {
  tern_task_shots *s = to;
  const json_t *row;
  size_t i;
  if (json_is_object(value)) return tern_key_manifest(&s->manifest, value, where, e);
  if (!json_is_array(value) || json_array_size(value) == 0)
    return tern_fail(e, TERN_FAILED, "%s: a list of objects or {\"manifest\": NAME} was expected", where);
  json_array_foreach(value, i, row) {
    if (!json_is_object(row)) return tern_fail(e, TERN_FAILED, "%s: entry %zu is no object", where, i + 1);
  }
  return tern_key_list(&s->rows, value, where, e);
}

const tern_key tern_wording_keys[] = {
    {"fields", tern_key_fields, 0, false},
    {"prompt", tern_key_template, offsetof(tern_wording, prompt), false},
    {"inputs", tern_key_texts, offsetof(tern_wording, inputs), false},
    {"choices", tern_key_texts, offsetof(tern_wording, choices), false},
    {"labels", tern_key_texts, offsetof(tern_wording, labels), false},
    {"gold", tern_key_template, offsetof(tern_wording, gold), false},
    {"gold_is", tern_key_gold_is, offsetof(tern_wording, gold_is), false},
    {"target", tern_key_template, offsetof(tern_wording, target), false},
};
const size_t tern_wording_key_count = sizeof tern_wording_keys / sizeof *tern_wording_keys;

void tern_task_list_close(tern_task_list *l) {
  for (int i = 0; i < l->count; i++) tern_template_close(l->texts[i]);
  tern_template_close(l->each);
  free(l->texts);
  free(l->path);
}

void tern_wording_close(tern_wording *w) {
  for (int i = 0; i < w->field_count; i++) {
    free(w->field_names[i]);
    tern_template_close(w->fields[i]);
  }
  free(w->field_names);
  free(w->fields);
  tern_template_close(w->prompt);
  tern_task_list_close(&w->inputs);
  tern_task_list_close(&w->choices);
  tern_task_list_close(&w->labels);
  tern_template_close(w->gold);
  tern_template_close(w->target);
}
