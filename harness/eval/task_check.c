/* What a task's keys ask of each other. A rule is a row: when it is broken, the
 * message says what to do. */
#include <stdio.h>
#include <string.h>

#include "harness/eval/score.h"
#include "harness/eval/task_parts.h"

enum { CHOICES = 1u << TERN_ASK_CHOICES, ROLLING = 1u << TERN_ASK_ROLLING, TEXT = 1u << TERN_ASK_TEXT };

typedef struct rule {
  unsigned kinds; /* tasks that it is for */
  bool (*broken)(const tern_task *t);
  const char *message;
} rule;

static bool no_prompt(const tern_task *t) {
  return t->wording.prompt == NULL && !t->wording.inputs.given && !t->turns.given;
}
static bool two_prompts(const tern_task *t) {
  return (t->wording.prompt != NULL) + t->wording.inputs.given + t->turns.given > 1;
}
static bool no_choices(const tern_task *t) {
  return !t->wording.choices.given && !t->wording.inputs.given;
}
static bool no_gold(const tern_task *t) {
  return t->wording.gold == NULL && !t->truth.given;
}
static bool inputs_without_target(const tern_task *t) {
  return t->wording.inputs.given && t->wording.target == NULL;
}
static bool target_without_inputs(const tern_task *t) {
  return t->wording.target != NULL && !t->wording.inputs.given;
}
static bool label_without_labels(const tern_task *t) {
  return (t->wording.gold_is == TERN_GOLD_LABEL && !t->wording.labels.given) ||
         (t->shot_wording.gold_is == TERN_GOLD_LABEL && !t->shot_wording.labels.given);
}
static bool labels_without_label(const tern_task *t) {
  return t->wording.labels.given && t->wording.gold_is != TERN_GOLD_LABEL;
}
static bool turns_given(const tern_task *t) {
  return t->turns.given;
}
static bool text_keys(const tern_task *t) {
  return t->stops != NULL || t->filters != NULL || t->references.given || t->temperatures != NULL;
}
static bool choice_keys(const tern_task *t) {
  const tern_wording *w = &t->wording;
  return w->choices.given || w->inputs.given || w->labels.given || w->gold != NULL || t->truth.given;
}
static bool shot_keys(const tern_task *t) {
  const tern_task_shots *s = &t->shots;
  return s->file != NULL || s->rows != NULL || s->manifest != NULL || s->count > 0;
}
static bool original_given(const tern_task *t) {
  return t->original != NULL;
}
static bool groups_without_split(const tern_task *t) {
  return t->groups != NULL && t->split_by == NULL;
}
static bool other_form_of_parts(const tern_task *t) {
  return t->other_data != NULL && (t->split_by != NULL || t->pages);
}
static bool no_answer_for_shots(const tern_task *t) {
  return t->shots.count > 0 && t->wording.target == NULL && t->shot_wording.target == NULL;
}
static bool begun_answer(const tern_task *t) {
  return t->answer_begins != NULL;
}
static bool begun_turns(const tern_task *t) {
  return t->answer_begins != NULL && t->turns.given;
}
static bool no_tokens(const tern_task *t) {
  return t->most_tokens == 0;
}

static const rule rules[] = {
    {CHOICES | TEXT | ROLLING, no_prompt, "no \"prompt\" (nor \"inputs\" or \"turns\")"},
    {CHOICES | TEXT | ROLLING, two_prompts, "of \"prompt\", \"inputs\" and \"turns\" only one may be given"},
    {CHOICES, no_choices, "kind \"choices\" needs \"choices\" (or \"inputs\" with \"target\")"},
    {CHOICES, no_gold, "kind \"choices\" needs \"gold\" (or \"truth\")"},
    {CHOICES, inputs_without_target, "\"inputs\" needs \"target\", the continuation that they share"},
    {CHOICES, target_without_inputs, "\"target\" of kind \"choices\" belongs to \"inputs\"; the answer is \"gold\""},
    {CHOICES, label_without_labels, "\"gold_is\": \"label\" needs \"labels\", where the gold label is looked up"},
    {CHOICES, labels_without_label, "\"labels\" is used only with \"gold_is\": \"label\""},
    {CHOICES | ROLLING, turns_given, "\"turns\" belongs to kind \"text\""},
    {CHOICES | ROLLING, text_keys,
     "\"stops\", \"filters\", \"references\" and \"temperature\" belong to kind \"text\""},
    {TEXT | ROLLING, choice_keys,
     "\"choices\", \"inputs\", \"labels\", \"gold\" and \"truth\" belong to kind \"choices\"; an answer in text is "
     "\"target\""},
    {ROLLING, shot_keys, "kind \"rolling\" has no shots"},
    {CHOICES | TEXT, original_given, "\"original\" belongs to kind \"rolling\""},
    {CHOICES | TEXT | ROLLING, groups_without_split, "data.groups needs data.split_by"},
    {CHOICES | TEXT | ROLLING, other_form_of_parts, "data.otherwise can't stand with data.split_by or data.pages"},
    {TEXT, no_answer_for_shots, "shots need \"target\", their answer"},
    {CHOICES | ROLLING, begun_answer, "\"answer_begins\" belongs to kind \"text\""},
    {TEXT, begun_turns, "\"answer_begins\" can't stand with \"turns\""},
    {TEXT, no_tokens, "most_tokens is 0"},
};

static int unknown_metric(const char *where, const char *name, tern_error *e) {
  enum { MOST = 64 };
  const char *names[MOST];
  char advice[360];
  size_t count = 0;
  for (const tern_metric *m; count < MOST && (m = tern_metric_at(count)) != NULL; count++) names[count] = m->name;
  tern_key_advice(advice, sizeof advice, name, names, count);
  return tern_fail(e, TERN_FAILED, "%s: unknown metric \"%.40s\"; %s", where, name, advice);
}

/* Names become parts of file names. */
static bool plain_name(const char *name) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+";
  return name[0] != '.' && strspn(name, allowed) == strlen(name) && strlen(name) <= 100;
}

/* Metrics by name, for the kind, with parameters that they know. */
static int find_metrics(tern_task *t, tern_error *e) {
  static const char *const kinds[] = {"choices", "rolling", "text"};
  for (int i = 0; i < t->metric_count; i++) {
    tern_task_metric *m = &t->metrics[i];
    char where[400];
    snprintf(where, sizeof where, "%.300s: metrics", t->path);
    if ((m->metric = tern_metric_find(m->name)) == NULL) return unknown_metric(where, m->name, e);
    if ((m->metric->kinds >> t->kind & 1) == 0)
      return tern_fail(e, TERN_FAILED, "%s: metric %s is not for kind \"%s\"", where, m->name, kinds[t->kind]);
    if (tern_metric_check(m->metric, m->params, where, e) != 0) return (int)e->status;
  }
  return 0;
}

int tern_task_check(tern_task *t, tern_error *e) {
  if (!plain_name(t->name))
    return tern_fail(e, TERN_FAILED, "%s: task: letters, digits, _ - . and + were expected, not \"%.60s\"", t->path,
                     t->name);
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    if ((rules[i].kinds >> t->kind & 1) != 0 && rules[i].broken(t))
      return tern_fail(e, TERN_FAILED, "%s: %s", t->path, rules[i].message);
  }
  return find_metrics(t, e);
}
