/* Tasks, subtasks and the files they read, before anything is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "harness/eval/digest.h"
#include "harness/eval/sandbox_python.h"
#include "harness/eval/score.h"
#include "harness/eval_job.h"

static const long long most_bytes = 1LL << 32;

static int put_digest(json_t *to, const char *name, const char *path, tern_error *e) {
  tern_digest d;
  if (path == NULL || json_object_get(to, name) != NULL) return 0;
  if (tern_digest_file(&d, path, tern_digest_is_gzip(path), most_bytes, e) != 0) return (int)e->status;
  return json_object_set_new(to, name, json_string(d.sha256)) == 0 ? 0 : tern_fail(e, TERN_FAILED, "out of memory");
}

static int add_unit(tern_eval_plan *p, const tern_task_entry *entry, char *subtask, tern_error *e) {
  const tern_task_data *whole = subtask != NULL ? &p->whole[entry - p->set.entries] : NULL;
  tern_eval_unit *more = realloc(p->units, tern_mul(p->count + 1, sizeof *more));
  if (more == NULL) {
    free(subtask);
    return tern_fail(e, TERN_FAILED, "%s: out of memory", entry->task->name);
  }
  p->units = more;
  more[p->count++] = (tern_eval_unit){entry, subtask, whole};
  return 0;
}

static int add_subtasks(tern_eval_plan *p, const tern_task_entry *entry, const tern_rows *rows, tern_error *e) {
  char **names;
  size_t count;
  if (entry->task->split_by == NULL) return add_unit(p, entry, NULL, e);
  int status = tern_task_subtasks(entry->task, rows, &names, &count, e);
  if (status != 0) return status;
  for (size_t i = 0; i < count; i++) {
    if (status == 0)
      status = add_unit(p, entry, names[i], e);
    else
      free(names[i]);
  }
  free(names);
  return status;
}

static int add_entry(tern_eval_plan *p, const tern_eval_options *o, const tern_task_entry *entry, tern_error *e) {
  const tern_task *t = entry->task;
  const tern_eval_unit whole = {.entry = entry};
  const tern_document_options options = tern_eval_unit_options(o, &whole, NULL);
  int shots = options.shots >= 0 ? options.shots : t->shots.count;
  tern_task_data data;
  int status = tern_task_data_open(&data, t, o->data, NULL, shots > 0 && t->kind != TERN_ASK_ROLLING, e);
  if (status != 0) return status;
  status = put_digest(p->tasks, t->name, t->path, e);
  if (status == 0) status = put_digest(p->data, t->data, data.path, e);
  if (status == 0 && t->shots.file != NULL) status = put_digest(p->data, t->shots.file, data.pool_path, e);
  if (status == 0) status = add_subtasks(p, entry, data.rows, e);
  if (status == 0 && t->split_by != NULL)
    p->whole[entry - p->set.entries] = data;
  else
    tern_task_data_close(&data);
  return status;
}

/* Rows of the metrics' table by their names. */
static int find_metrics(tern_task *t, tern_error *e) {
  for (int i = 0; i < t->metric_count; i++) {
    tern_task_metric *m = &t->metrics[i];
    m->metric = tern_metric_find(m->name);
    if (m->metric == NULL) return tern_fail(e, TERN_FAILED, "%s: no metric \"%s\"", t->path, m->name);
    if (tern_metric_check(m->metric, m->params, t->path, e) != 0) return (int)e->status;
    if ((m->metric->kinds >> t->kind & 1) == 0)
      return tern_fail(e, TERN_FAILED, "%s: metric \"%s\" is not for this kind of task", t->path, m->name);
  }
  return 0;
}

static const tern_metric *grader_of(const tern_task *t) {
  for (int i = 0; i < t->metric_count; i++) {
    if (t->metrics[i].metric->grader != NULL) return t->metrics[i].metric;
  }
  return NULL;
}

/* Whether what the task's graders need is here: asked once, with nothing run yet. */
static int check_graders(const tern_task *t, tern_error *e) {
  tern_sandbox *sandbox;
  tern_error why = {0};
  const tern_metric *m = grader_of(t);
  if (m == NULL) return 0;
  int status = tern_sandbox_open_python(&sandbox, 1, &why);
  if (status == 0 && m->ready != NULL) status = m->ready(sandbox, &why);
  tern_sandbox_close(sandbox);
  return status == 0 ? 0 : tern_fail(e, why.status, "%s is graded by %s: %s", t->name, m->grader, why.text);
}

/* A task that cannot run here is an error, or said and left out. */
static int add_or_leave_out(tern_eval_plan *p, const tern_eval_options *o, const tern_task_entry *entry,
                            tern_error *e) {
  const char *name = entry->task->name;
  int status = find_metrics(entry->task, e);
  if (status == 0) status = add_entry(p, o, entry, e);
  if (status == 0 && o->from == NULL) status = check_graders(entry->task, e);
  if (status == 0) p->graders = p->graders || grader_of(entry->task) != NULL;
  if (status != TERN_FAILED || !o->skip_missing) return status;
  while (p->count > 0 && p->units[p->count - 1].entry == entry) free(p->units[--p->count].subtask);
  fprintf(stderr, "%s is left out: %s\n", name, e->text);
  json_object_del(p->tasks, name);
  if (json_object_set_new(p->left_out, name, json_string(e->text)) != 0) return TERN_FAILED;
  *e = (tern_error){0};
  return 0;
}

int tern_eval_plan_open(tern_eval_plan *p, const tern_eval_options *o, tern_error *e) {
  static const char *const folders[] = {TERN_SOURCE_DIR "/datasets/tasks", NULL};
  *p = (tern_eval_plan){.tasks = json_object(), .data = json_object(), .left_out = json_object()};
  int status = tern_task_set_open(&p->set, folders, o->names, e);
  if (status == 0) p->whole = calloc(p->set.count + 1, sizeof *p->whole);
  if (status == 0 && p->whole == NULL) status = tern_fail(e, TERN_FAILED, "%s: out of memory", o->names);
  for (size_t i = 0; i < p->set.count && status == 0; i++) status = add_or_leave_out(p, o, &p->set.entries[i], e);
  if (status == 0 && p->count == 0) status = tern_fail(e, TERN_FAILED, "%s: no task is left to run", o->names);
  if (status != 0) tern_eval_plan_close(p);
  return status;
}

void tern_eval_plan_close(tern_eval_plan *p) {
  for (size_t i = 0; i < p->count; i++) free(p->units[i].subtask);
  free(p->units);
  for (size_t i = 0; i < p->set.count && p->whole != NULL; i++) tern_task_data_close(&p->whole[i]);
  free(p->whole);
  tern_task_set_close(&p->set);
  json_decref(p->tasks);
  json_decref(p->data);
  json_decref(p->left_out);
  *p = (tern_eval_plan){0};
}

bool tern_eval_unit_chat(const tern_eval_options *o, const tern_eval_unit *u) {
  return u->entry->task->kind != TERN_ASK_ROLLING && (o->chat >= 0 ? o->chat : u->entry->chat) == 1;
}

tern_document_options tern_eval_unit_options(const tern_eval_options *o, const tern_eval_unit *u,
                                             const tern_chat_template *chat) {
  const tern_task_entry *entry = u->entry;
  bool rolling = entry->task->kind == TERN_ASK_ROLLING;
  return (tern_document_options){.data = o->data,
                                 .subtask = u->subtask,
                                 .whole = u->whole,
                                 .limit = o->limit > 0 ? o->limit : entry->limit,
                                 .shots = rolling         ? 0
                                          : o->shots >= 0 ? o->shots
                                                          : entry->shots,
                                 .seed = o->seed_given ? &o->seed : NULL,
                                 .chat = tern_eval_unit_chat(o, u) ? chat : NULL,
                                 .shots_as_turns = o->shots_as_turns};
}
