/* The texts of a row, worded as the task file says. */
#include "harness/eval/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A row with what was computed of it. */
typedef struct view {
  const tern_task *task;
  const tern_rows *rows;
  size_t row;
  json_t *more; /* the manifest's texts, computed fields, and {item} */
  tern_error *e;
} view;

static int no_memory(const view *v) {
  return tern_rows_fail(v->rows, v->row, v->e, "out of memory");
}

static int fill(const view *v, const tern_template *t, char **out) {
  return tern_template_fill(t, v->rows, v->row, v->more, out, v->e);
}

/* Keys that are absent in `own` are worded as in `w`. */
static tern_wording over(tern_wording w, const tern_wording *own) {
  if (own->fields != NULL) w.fields = own->fields, w.field_names = own->field_names, w.field_count = own->field_count;
  if (own->prompt != NULL) w.prompt = own->prompt, w.inputs = own->inputs;
  if (own->inputs.given) w.inputs = own->inputs, w.prompt = own->prompt;
  if (own->choices.given) w.choices = own->choices;
  if (own->gold != NULL) w.gold = own->gold, w.gold_is = own->gold_is, w.labels = own->labels;
  if (own->target != NULL) w.target = own->target;
  return w;
}

/* A pool that is the evaluated rows has their form. */
static tern_wording wording(const tern_task *t, const tern_task_data *d, bool shot) {
  bool other = d->other && (!shot || d->pool == d->rows);
  tern_wording w = other ? over(t->wording, &t->other_wording) : t->wording;
  return shot ? over(w, &t->shot_wording) : w;
}

static int compute_fields(view *v, const tern_wording *w) {
  for (int i = 0; i < w->field_count; i++) {
    char *text;
    if (fill(v, w->fields[i], &text) != 0) return (int)v->e->status;
    int wrong = json_object_set_new(v->more, w->field_names[i], json_string(text));
    free(text);
    if (wrong != 0) return no_memory(v);
  }
  return 0;
}

static int add_text(const view *v, tern_texts *out, char *text) {
  char **more = text ? realloc(out->list, (size_t)(out->count + 1) * sizeof *more) : NULL;
  if (more == NULL) {
    free(text);
    return text ? no_memory(v) : (int)v->e->status;
  }
  out->list = more;
  more[out->count++] = text;
  return 0;
}

static int fill_entry(const view *v, const tern_task_list *l, json_t *entry, tern_texts *out) {
  char *text = NULL;
  if (l->each == NULL) {
    text = tern_template_text(entry, l->path, v->e);
    if (text == NULL) {
      char why[200];
      strncpy(why, v->e->text, sizeof why - 1);
      why[sizeof why - 1] = '\0';
      return tern_rows_fail(v->rows, v->row, v->e, "an entry of %s", why);
    }
  } else {
    if (json_object_set(v->more, "item", entry) != 0) return no_memory(v);
    int status = fill(v, l->each, &text);
    json_object_del(v->more, "item");
    if (status != 0) return status;
  }
  return add_text(v, out, text);
}

static int fill_object(const view *v, const tern_task_list *l, json_t *object, tern_texts *out) {
  const char *key;
  json_t *value;
  int status = 0;
  json_object_foreach(object, key, value) {
    json_t *entry = l->of == TERN_LIST_KEYS ? json_string(key) : json_incref(value);
    if (entry == NULL) return no_memory(v);
    status = fill_entry(v, l, entry, out);
    json_decref(entry);
    if (status != 0) return status;
  }
  return status;
}

static int fill_list(const view *v, const tern_task_list *l, tern_texts *out) {
  for (int i = 0; i < l->count; i++) {
    char *text;
    if (fill(v, l->texts[i], &text) != 0 || add_text(v, out, text) != 0) return (int)v->e->status;
  }
  if (l->path == NULL) return 0;
  json_t *value = tern_template_value(v->rows, v->row, v->more, l->path, v->e), *entry;
  if (value == NULL) return (int)v->e->status;
  if (l->of != TERN_LIST_ENTRIES) {
    if (!json_is_object(value)) return tern_rows_fail(v->rows, v->row, v->e, "\"%s\" is no object", l->path);
    return fill_object(v, l, value, out);
  }
  if (!json_is_array(value)) return tern_rows_fail(v->rows, v->row, v->e, "\"%s\" is no list", l->path);
  size_t i;
  json_array_foreach(value, i, entry) {
    if (fill_entry(v, l, entry, out) != 0) return (int)v->e->status;
  }
  return 0;
}

static int place_of(const tern_texts *list, const char *text) {
  for (int i = 0; i < list->count; i++) {
    if (strcmp(list->list[i], text) == 0) return i;
  }
  return -1;
}

static int parse_place(const char *text) {
  char *end;
  errno = 0;
  long n = strtol(text, &end, 10);
  return end == text || *end != '\0' || errno != 0 || n < 0 || n > 1000000 ? -1 : (int)n;
}

static int find_gold(const view *v, const tern_wording *w, const char *text, const tern_texts *choices, int *out) {
  tern_texts labels = {0};
  int status = 0, gold = -1, labelled;
  switch (w->gold_is) {
  case TERN_GOLD_INDEX:
    gold = parse_place(text);
    break;
  case TERN_GOLD_ONE_BASED:
    gold = parse_place(text) - 1;
    break;
  case TERN_GOLD_LETTER:
    gold = text[0] >= 'A' && text[0] <= 'Z' && text[1] == '\0' ? text[0] - 'A' : -1;
    break;
  case TERN_GOLD_TEXT:
    gold = place_of(choices, text);
    break;
  case TERN_GOLD_LABEL:
    status = fill_list(v, &w->labels, &labels);
    gold = place_of(&labels, text);
    break;
  }
  labelled = labels.count;
  for (int i = 0; i < labels.count; i++) free(labels.list[i]);
  free(labels.list);
  if (status != 0) return status;
  if (w->gold_is == TERN_GOLD_LABEL && labelled != choices->count)
    return tern_rows_fail(v->rows, v->row, v->e, "%d labels for %d choices", labelled, choices->count);
  if (gold < 0 || gold >= choices->count)
    return tern_rows_fail(v->rows, v->row, v->e, "gold \"%.60s\" names none of the %d choices (%s: gold, gold_is)",
                          text, choices->count, v->task->path);
  *out = gold;
  return 0;
}

static int fill_choices(const view *v, const tern_wording *w, tern_row_texts *r) {
  if (w->inputs.given && fill_list(v, &w->inputs, &r->inputs) != 0) return (int)v->e->status;
  const tern_task_list *choices = w->choices.given ? &w->choices : &w->inputs;
  if (choices->given && fill_list(v, choices, &r->choices) != 0) return (int)v->e->status;
  if (choices->given && r->choices.count == 0) return tern_rows_fail(v->rows, v->row, v->e, "has no choices");
  if (w->inputs.given && r->inputs.count != r->choices.count)
    return tern_rows_fail(v->rows, v->row, v->e, "%d inputs for %d choices", r->inputs.count, r->choices.count);
  if (w->gold == NULL) return 0;
  char *text;
  if (fill(v, w->gold, &text) != 0) return (int)v->e->status;
  int status = find_gold(v, w, text, &r->choices, &r->gold);
  free(text);
  return status;
}

static int copy_text(const view *v, const char *text, char **out) {
  *out = strdup(text);
  return *out ? 0 : no_memory(v);
}

/* Of inputs the gold's is the row's prompt, with the shared continuation as answer. */
static int fill_prompt(const view *v, const tern_wording *w, tern_row_texts *r) {
  int status = 0;
  if (w->prompt != NULL) status = fill(v, w->prompt, &r->prompt);
  if (status == 0 && w->target != NULL) status = fill(v, w->target, &r->target);
  if (status == 0 && w->prompt == NULL && r->inputs.count > 0 && r->gold >= 0)
    status = copy_text(v, r->inputs.list[r->gold], &r->prompt);
  if (status != 0) return status;
  if (r->target != NULL) return copy_text(v, r->target, &r->answer);
  return r->gold >= 0 ? copy_text(v, r->choices.list[r->gold], &r->answer) : 0;
}

static int fill_truth(const view *v, tern_row_texts *r) {
  tern_texts truth = {0};
  int status = fill_list(v, &v->task->truth, &truth);
  if (status == 0 && truth.count != r->choices.count)
    status = tern_rows_fail(v->rows, v->row, v->e, "%d truth values for %d choices", truth.count, r->choices.count);
  if (status == 0 && (r->truth = calloc((size_t)truth.count + 1, sizeof *r->truth)) == NULL) status = no_memory(v);
  for (int i = 0; i < truth.count; i++) {
    const char *text = truth.list[i];
    bool yes = strcmp(text, "1") == 0 || strcmp(text, "True") == 0;
    if (status == 0 && !yes && strcmp(text, "0") != 0 && strcmp(text, "False") != 0)
      status = tern_rows_fail(v->rows, v->row, v->e, "truth \"%.40s\": 0 or 1 was expected", text);
    if (status == 0) r->truth[i] = yes;
    free(truth.list[i]);
  }
  free(truth.list);
  return status;
}

static int fill_temperature(const view *v, tern_row_texts *r) {
  if (v->task->temperatures == NULL) return 0;
  const json_t *by = tern_template_value(v->rows, v->row, v->more, v->task->temperature_by, v->e);
  if (by == NULL) return (int)v->e->status;
  if (json_is_string(by))
    r->temperature = json_number_value(json_object_get(v->task->temperatures, json_string_value(by)));
  return 0;
}

/* What only evaluated rows have. */
static int fill_rest(const view *v, tern_row_texts *r) {
  const tern_task *t = v->task;
  int status = 0;
  if (t->references.given)
    status = fill_list(v, &t->references, &r->references);
  else if (t->kind == TERN_ASK_TEXT && r->target != NULL) {
    char *copy;
    status = copy_text(v, r->target, &copy);
    if (status == 0) status = add_text(v, &r->references, copy);
  }
  if (status == 0 && t->truth.given) status = fill_truth(v, r);
  if (status == 0 && t->turns.given) status = fill_list(v, &t->turns, &r->turns);
  if (status == 0 && t->turns.given && r->turns.count == 0)
    status = tern_rows_fail(v->rows, v->row, v->e, "has no turns");
  if (status == 0 && t->turns.given) status = copy_text(v, r->turns.list[0], &r->prompt);
  if (status == 0 && t->kind == TERN_ASK_ROLLING)
    status = t->original ? fill(v, t->original, &r->original) : copy_text(v, r->prompt, &r->original);
  if (status == 0) status = fill_temperature(v, r);
  return status;
}

int tern_row_texts_make(tern_row_texts *out, const tern_task *t, const tern_task_data *d, size_t row, bool shot,
                        tern_error *e) {
  tern_wording w = wording(t, d, shot);
  view v = {t, shot ? d->pool : d->rows, row, json_copy(d->texts), e};
  *out = (tern_row_texts){.gold = -1};
  int status = v.more == NULL ? no_memory(&v) : compute_fields(&v, &w);
  if (status == 0) status = fill_choices(&v, &w, out);
  if (status == 0) status = fill_prompt(&v, &w, out);
  if (status == 0 && !shot) status = fill_rest(&v, out);
  json_decref(v.more);
  if (status != 0) tern_row_texts_close(out);
  return status;
}

static void close_texts(tern_texts *t) {
  for (int i = 0; i < t->count; i++) free(t->list[i]);
  free(t->list);
}

void tern_row_texts_close(tern_row_texts *r) {
  close_texts(&r->inputs);
  close_texts(&r->choices);
  close_texts(&r->references);
  close_texts(&r->turns);
  free(r->prompt);
  free(r->answer);
  free(r->target);
  free(r->truth);
  free(r->original);
  *r = (tern_row_texts){.gold = -1};
}

int tern_row_text(const tern_task *t, const tern_template *text, const tern_task_data *d, size_t row, char **out,
                  tern_error *e) {
  view v = {t, d->rows, row, NULL, e};
  if (text == NULL) return copy_text(&v, "", out);
  tern_wording w = wording(t, d, false);
  v.more = json_copy(d->texts);
  int status = v.more == NULL ? no_memory(&v) : compute_fields(&v, &w);
  if (status == 0) status = fill(&v, text, out);
  json_decref(v.more);
  return status;
}
