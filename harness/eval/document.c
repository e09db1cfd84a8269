/* A prompt is a list of messages, as in lm-eval: the description, question and
 * answer of each shot, the question. Written one after the other, or in a chat
 * template as one user's turn or as turns; the description is the system's. */
#include "harness/eval/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "harness/eval/messages.h"

/* What documents of a set are made with. */
typedef struct maker {
  tern_documents *set;
  tern_shots *shots;      /* NULL: none */
  size_t *drawn;          /* [set->shots] */
  tern_messages messages; /* description and shots of the document being made */
  const char *delimiter;  /* between question and answer */
} maker;

static int add_shot(maker *m, size_t row, tern_error *e) {
  const tern_task *t = m->set->task;
  tern_row_texts texts = {0};
  int status = tern_row_texts_make(&texts, t, &m->set->data, row, true, e);
  bool answered = status == 0 && texts.answer != NULL && *texts.answer != '\0';
  if (status == 0) status = tern_messages_add(&m->messages, TERN_USER, texts.prompt, answered ? t->delimiter : "", e);
  if (answered && status == 0)
    status = tern_messages_add(&m->messages, TERN_ASSISTANT, texts.answer, t->shot_delimiter, e);
  tern_row_texts_close(&texts);
  return status;
}

static int begin(maker *m, size_t row, tern_error *e) {
  const tern_documents *set = m->set;
  size_t shots = (size_t)set->shots;
  char *description = NULL;
  tern_messages_drop(&m->messages, 0);
  int status = tern_row_text(set->task, set->task->description, &set->data, row, &description, e);
  if (status == 0 && *description != '\0') status = tern_messages_add(&m->messages, TERN_SYSTEM, description, "", e);
  free(description);
  if (status != 0 || shots == 0) return status;
  const json_t *own = set->task->shots.leave_out ? tern_rows_at(set->data.rows, row) : NULL;
  status = tern_shots_draw(m->shots, shots, own, m->drawn, e);
  for (size_t i = 0; i < shots && status == 0; i++) status = add_shot(m, m->drawn[i], e);
  return status;
}

static int begin_answer(maker *m, tern_document *d, size_t row, tern_error *e) {
  const tern_documents *set = m->set;
  char *begins = NULL, *whole = NULL;
  int status = tern_row_text(set->task, set->task->answer_begins, &set->data, row, &begins, e);
  if (status == 0 && asprintf(&whole, "%s%s", d->contexts[0], begins) < 0)
    status = tern_fail(e, TERN_FAILED, "%s: out of memory for a prompt", set->name);
  free(begins);
  if (status != 0) return status;
  free(d->contexts[0]);
  d->contexts[0] = whole;
  return 0;
}

/* What was begun with the question as context i. */
static int put_context(maker *m, tern_document *d, int i, const char *question, tern_error *e) {
  const tern_document_options *o = &m->set->options;
  int before = m->messages.count, status = tern_messages_add(&m->messages, TERN_USER, question, "", e);
  if (status == 0) status = tern_messages_text(&m->messages, o->chat, o->shots_as_turns, &d->contexts[i], e);
  tern_messages_drop(&m->messages, before);
  return status;
}

static int put_continuation(const maker *m, tern_document *d, int i, const char *text, tern_error *e) {
  size_t before = strlen(m->delimiter), size = strlen(text);
  char *joined = d->continuations[i] = malloc(before + size + 1);
  if (joined == NULL) return tern_fail(e, TERN_FAILED, "a choice of %zu bytes: out of memory", size);
  memcpy(joined, m->delimiter, before);
  memcpy(joined + before, text, size + 1);
  return 0;
}

static int make_choices(maker *m, tern_document *d, tern_error *e) {
  const tern_row_texts *t = &d->texts;
  bool inputs = t->inputs.count > 0;
  int status = 0;
  for (int i = 0; i < d->ask_count && status == 0; i++) {
    if (i == 0 || inputs) status = put_context(m, d, i, inputs ? t->inputs.list[i] : t->prompt, e);
    if (status == 0 && (i == 0 || !inputs))
      status = put_continuation(m, d, i, inputs ? t->target : t->choices.list[i], e);
    if (status == 0) d->asks[i] = (tern_ask){d->contexts[inputs ? i : 0], d->continuations[inputs ? 0 : i]};
  }
  return status;
}

static int count_asks(const maker *m, const tern_document *d, tern_error *e) {
  const tern_row_texts *t = &d->texts;
  const tern_task *task = m->set->task;
  if (task->kind == TERN_ASK_TEXT) return t->turns.count > 0 ? t->turns.count : 1;
  if (task->kind == TERN_ASK_ROLLING) return 1;
  int count = t->inputs.count > 0 ? t->inputs.count : t->choices.count;
  if (count > 0 && (t->inputs.count == 0 || t->target != NULL)) return count;
  tern_rows_fail(m->set->data.rows, d->id, e, count > 0 ? "no continuation to score" : "no choices to score");
  return 0;
}

static int make_document(maker *m, tern_document *d, size_t row, tern_error *e) {
  const tern_task *t = m->set->task;
  d->id = row;
  int status = begin(m, row, e);
  if (status == 0) status = tern_row_texts_make(&d->texts, t, &m->set->data, row, false, e);
  if (status != 0) return status;
  int count = count_asks(m, d, e);
  if (count == 0) return (int)e->status;
  d->asks = calloc((size_t)count, sizeof *d->asks);
  d->contexts = calloc((size_t)count, sizeof *d->contexts);
  d->continuations = calloc((size_t)count, sizeof *d->continuations);
  if (d->asks == NULL || d->contexts == NULL || d->continuations == NULL)
    return tern_fail(e, TERN_FAILED, "%s: out of memory for its questions", m->set->name);
  d->ask_count = count;
  if (t->kind == TERN_ASK_CHOICES) return make_choices(m, d, e);
  if (t->kind == TERN_ASK_ROLLING) {
    d->asks[0].continuation = d->texts.prompt;
    return 0;
  }
  status = put_context(m, d, 0, d->texts.turns.count > 0 ? d->texts.turns.list[0] : d->texts.prompt, e);
  if (status == 0 && t->answer_begins != NULL) status = begin_answer(m, d, row, e);
  d->asks[0].context = d->contexts[0];
  return status;
}

static int open_shots(maker *m, tern_error *e) {
  const tern_documents *set = m->set;
  const tern_task_shots *s = &set->task->shots;
  const int64_t *seed = set->options.seed;
  if (set->shots == 0) return 0;
  m->drawn = calloc((size_t)set->shots, sizeof *m->drawn);
  if (m->drawn == NULL) return tern_fail(e, TERN_FAILED, "%d few-shot examples: out of memory", set->shots);
  return tern_shots_open(&m->shots, set->data.pool, s->sampler, seed != NULL ? *seed : s->seed, e);
}

static char *name_of(const tern_task *t, const char *subtask) {
  if (subtask == NULL) return strdup(t->name);
  size_t n = strlen(t->name), more = strlen(subtask);
  char *name = malloc(n + more + 2);
  if (name == NULL) return NULL;
  memcpy(name, t->name, n);
  name[n] = '_';
  memcpy(name + n + 1, subtask, more + 1);
  return name;
}

static int make_all(maker *m, tern_error *e) {
  tern_documents *set = m->set;
  size_t all = tern_rows_count(set->data.rows), limit = set->options.limit;
  int status = open_shots(m, e);
  if (status != 0) return status;
  size_t count = limit > 0 && limit < all ? limit : all;
  set->list = calloc(count, sizeof *set->list);
  if (set->list == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory for its questions", set->name);
  for (; set->count < count && status == 0; set->count++)
    status = make_document(m, &set->list[set->count], set->count, e);
  return status;
}

static int open_data(tern_documents *out, tern_error *e) {
  const tern_document_options *o = &out->options;
  bool shots = out->shots > 0;
  return o->whole != NULL && o->subtask != NULL
             ? tern_subtask_data(&out->data, out->task, o->whole, o->subtask, shots, e)
             : tern_task_data_open(&out->data, out->task, o->data, o->subtask, shots, e);
}

int tern_documents_make(tern_documents *out, const tern_task *t, const tern_document_options *o, tern_error *e) {
  maker m = {.set = out, .delimiter = o->chat != NULL ? "" : t->delimiter};
  *out = (tern_documents){.task = t, .options = *o, .shots = o->shots >= 0 ? o->shots : t->shots.count};
  if (t->kind == TERN_ASK_ROLLING && out->shots > 0)
    return tern_fail(e, TERN_USAGE, "%s: texts that are scored whole take no few-shot examples", t->name);
  out->name = name_of(t, o->subtask);
  if (out->name == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", t->name);
  int status = open_data(out, e);
  if (status == 0) status = make_all(&m, e);
  tern_shots_close(m.shots);
  free(m.drawn);
  tern_messages_close(&m.messages);
  if (status != 0) tern_documents_close(out);
  return status;
}

static void close_document(tern_document *d) {
  for (int i = 0; i < d->ask_count; i++) {
    free(d->contexts[i]);
    free(d->continuations[i]);
  }
  free(d->contexts);
  free(d->continuations);
  free(d->asks);
  tern_row_texts_close(&d->texts);
}

void tern_documents_close(tern_documents *d) {
  if (d == NULL) return;
  for (size_t i = 0; i < d->count; i++) close_document(&d->list[i]);
  free(d->list);
  free(d->name);
  tern_task_data_close(&d->data);
  *d = (tern_documents){0};
}

int tern_document_turn(const tern_documents *set, const tern_document *d, int turn, const tern_reply *replies,
                       char **context, tern_error *e) {
  const tern_task *t = set->task;
  tern_messages talk = {0};
  int status = 0;
  for (int i = 0; i <= turn && status == 0; i++) {
    status = tern_messages_add(&talk, TERN_USER, d->texts.turns.list[i], i < turn ? t->delimiter : "", e);
    if (i < turn && status == 0)
      status = tern_messages_add(&talk, TERN_ASSISTANT, replies[i].text, t->shot_delimiter, e);
  }
  if (status == 0) status = tern_messages_text(&talk, set->options.chat, true, context, e);
  tern_messages_close(&talk);
  return status;
}
