#include "harness/eval/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/eval/item.h"
#include "harness/eval/python_json.h"
#include "harness/eval/sample_line.h"

/* The items of one file: parallel lists, since metrics see `scored` only. */
typedef struct batch {
  const tern_sample_call *call;
  tern_scored *scored;
  const char **prompts; /* the journal's */
  size_t count;
} batch;

static int add_item(batch *b, const tern_document *d, tern_error *e) {
  const tern_sample_call *c = b->call;
  char where[200];
  size_t replies;
  tern_reply *list = NULL;
  snprintf(where, sizeof where, "%.100s: item %zu", c->documents->name, d->id);
  const json_t *item = tern_journal_item(c->journal, c->documents->name, d->id);
  if (item == NULL) return tern_fail(e, TERN_FAILED, "%s: not answered yet; the same command goes on with it", where);
  if (tern_item_unpack(item, where, &list, &replies, e) != 0) return (int)e->status;
  tern_scored *s = &b->scored[b->count];
  b->prompts[b->count++] = json_string_value(json_object_get(item, "prompt"));
  *s = (tern_scored){.document = d, .row = tern_rows_at(c->documents->data.rows, d->id), .replies = list};
  bool text = c->documents->task->kind == TERN_ASK_TEXT, right = replies == (size_t)d->ask_count;
  for (size_t i = 0; right && i < replies; i++) right = (list[i].text != NULL) == text;
  if (right) return 0;
  return tern_fail(e, TERN_FAILED, "%s: the journal's answers are not to this task's questions", where);
}

static int load(batch *b, tern_error *e) {
  const tern_documents *d = b->call->documents;
  b->scored = calloc(d->count + 1, sizeof *b->scored);
  b->prompts = calloc(d->count + 1, sizeof *b->prompts);
  if (b->scored == NULL || b->prompts == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", d->name);
  int status = 0;
  for (size_t i = 0; i < d->count && status == 0; i++) {
    if (b->call->wanted == NULL || b->call->wanted[i]) status = add_item(b, &d->list[i], e);
  }
  return status;
}

static void forget_figures(batch *b) {
  for (size_t i = 0; i < b->count; i++) {
    free((char *)b->scored[i].filtered);
    json_decref(b->scored[i].figures);
    json_decref(b->scored[i].facts);
    b->scored[i].filtered = NULL;
    b->scored[i].figures = b->scored[i].facts = NULL;
  }
}

static void unload(batch *b) {
  if (b->scored != NULL) forget_figures(b);
  for (size_t i = 0; i < b->count; i++) free((tern_reply *)b->scored[i].replies);
  free(b->scored);
  free(b->prompts);
}

/* The last answer is what filters see: a conversation's turns before it are kept as they are. */
static int filter(batch *b, const tern_task_filter *f, tern_error *e) {
  bool text = b->call->documents->task->kind == TERN_ASK_TEXT;
  for (size_t i = 0; i < b->count; i++) {
    tern_scored *s = &b->scored[i];
    s->figures = json_object();
    s->facts = json_object();
    if (s->figures == NULL || s->facts == NULL) return tern_fail(e, TERN_FAILED, "filter %s: out of memory", f->name);
    if (!text) continue;
    s->filtered = tern_filters_apply(f->filters, s->replies[s->document->ask_count - 1].text, e);
    if (s->filtered == NULL) return (int)e->status;
  }
  return 0;
}

static int score(batch *b, const char *name, json_t *facts, tern_error *e) {
  const tern_task *t = b->call->documents->task;
  int status = 0;
  for (int i = 0; i < t->metric_count && status == 0; i++) {
    const tern_task_metric *m = &t->metrics[i];
    if (m->metric->grader != NULL && b->call->sandbox == NULL)
      return tern_fail(e, TERN_FAILED, "task %s: metric %s runs %s, which needs the sandbox (bubblewrap)", t->name,
                       m->name, m->metric->grader);
    tern_score_call call = {.task = t,
                            .data = b->call->documents->options.data,
                            .file = b->call->documents->data.path,
                            .chat = b->call->documents->options.chat != NULL,
                            .params = m->params,
                            .sandbox = b->call->sandbox,
                            .facts = facts};
    status = m->metric->score(&call, b->scored, b->count, e);
  }
  if (status == 0) return 0;
  tern_error why = *e;
  return tern_fail(e, why.status, "%s: filter %s: %s", b->call->documents->name, name, why.text);
}

static int write_lines(const batch *b, const char *name, FILE *to, tern_error *e) {
  for (size_t i = 0; i < b->count; i++) {
    json_t *line = tern_sample_line(b->call->documents->task, name, &b->scored[i], b->prompts[i], e);
    char *text = line != NULL ? tern_python_dumps(line, 0, e) : NULL;
    json_decref(line);
    if (text == NULL) return (int)e->status;
    fprintf(to, "%s\n", text);
    free(text);
  }
  return 0;
}

static int write_all(batch *b, FILE *to, json_t *facts, tern_error *e) {
  const tern_task *t = b->call->documents->task;
  int status = load(b, e);
  for (int i = 0; i < t->filter_count && status == 0; i++) {
    status = filter(b, &t->filters[i], e);
    if (status == 0) status = score(b, t->filters[i].name, facts, e);
    if (status == 0) status = write_lines(b, t->filters[i].name, to, e);
    forget_figures(b);
  }
  return status;
}

/* Names of subtasks are values of datasets: they stay in the folder. */
char *tern_samples_path(const char *folder, const char *task, tern_error *e) {
  char *path = NULL;
  if (asprintf(&path, "%s/samples_%s.jsonl", folder, task) < 0) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
    return NULL;
  }
  for (char *c = path + strlen(folder) + 1; (c = strchr(c, '/')) != NULL;) *c = '_';
  return path;
}

int tern_samples_write(const tern_sample_call *c, json_t *facts, tern_error *e) {
  batch b = {.call = c};
  tern_output *o = NULL;
  char *path = tern_samples_path(c->folder, c->documents->name, e);
  int status = path != NULL ? tern_output_open(&o, path, e) : (int)e->status;
  if (status == 0) status = write_all(&b, tern_output_stream(o), facts, e);
  if (status == 0)
    status = tern_output_commit(o, e);
  else
    tern_output_abandon(o);
  unload(&b);
  free(path);
  return status;
}
