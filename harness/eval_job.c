/* One task after the other: documents, asks of what the journal lacks, scores.
 * The model is loaded when the first ask needs it. */
#include "harness/eval_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "harness/chat_ends.h"
#include "harness/eval/item.h"
#include "harness/eval/records.h"
#include "harness/eval/sandbox_python.h"

/* Short questions share little, but each of their choices all of it. */
enum { USUAL_CONTEXT = 4096, WAIT = 8 };

typedef struct job {
  tern_eval_options *options;
  const char *dir;
  tern_eval_plan plan;
  tern_opened opened;
  const tern_chat_template *chat;
  tern_chat_ends ends;
  int context;
  tern_schedule *schedule; /* NULL until something is asked */
  tern_journal *journal;
  tern_sandbox *sandbox; /* NULL: no metric has a grader */
  tern_records *records;
  tern_run_facts facts; /* of all tasks */
  size_t items;         /* in the journal now, of those to be there */
} job;

/* ---- before anything is asked */

static int check_room(const job *j, tern_error *e) {
  const tern_eval_options *o = j->options;
  for (size_t i = 0; i < j->plan.count; i++) {
    const tern_task *t = j->plan.units[i].entry->task;
    int tokens = o->most_tokens > 0 ? o->most_tokens : t->most_tokens;
    if (t->kind == TERN_ASK_TEXT && tokens >= j->context - (o->window == TERN_WINDOW_COMPLETIONS))
      return tern_fail(e, TERN_FAILED,
                       "%s: answers of up to %d tokens leave no room for a question in a context of %d; give "
                       "--most-tokens N or a longer --context",
                       t->name, tokens, j->context);
  }
  return 0;
}

static int find_template(job *j, tern_error *e) {
  const tern_eval_options *o = j->options;
  bool wanted = false;
  for (size_t i = 0; i < j->plan.count; i++) wanted = wanted || tern_eval_unit_chat(o, &j->plan.units[i]);
  if (!wanted) return 0;
  int status = tern_chat_template_of(j->opened.gguf, o->template_name, &j->chat, e);
  return status == 0 ? tern_chat_ends_find(&j->ends, j->chat, j->opened.tokenizer, e) : status;
}

static int preview(job *j, tern_error *e) {
  const tern_eval_options *o = j->options;
  char path[TERN_EVAL_PATH + 16];
  int status = tern_opened_preview(&j->opened, &o->open, e);
  if (status == 0) status = tern_opened_context(&j->opened, o->open.context, USUAL_CONTEXT, &j->context, e);
  if (status == 0 && o->positions > 0 && o->positions < j->context)
    status = tern_fail(e, TERN_USAGE, "--positions %d are fewer than the context of one question, %d", o->positions,
                       j->context);
  if (status == 0) status = check_room(j, e);
  if (status == 0) status = find_template(j, e);
  if (status == 0) status = tern_directory_make(j->dir, e);
  if (status != 0) return status;
  json_t *head = tern_eval_head(o, &j->plan, &j->opened, j->chat, j->context, e);
  if (head == NULL) return (int)e->status;
  snprintf(path, sizeof path, "%s/journal.jsonl", j->dir);
  status = tern_journal_open(&j->journal, path, head, e);
  json_decref(head);
  return status;
}

static int prepare(job *j, tern_error *e) {
  tern_eval_options *o = j->options;
  int status = 0;
  if (o->from != NULL) {
    status = tern_journal_read(&j->journal, o->from, e);
    if (status == 0) status = tern_eval_head_read(tern_journal_head(j->journal), o, &j->chat, e);
    if (status == 0) status = tern_directory_make(j->dir, e);
  }
  if (status == 0) status = tern_eval_plan_open(&j->plan, o, e);
  if (status == 0 && o->from == NULL) status = preview(j, e);
  if (status == 0 && j->plan.graders)
    status = tern_sandbox_open_python(&j->sandbox, o->open.threads > 0 ? o->open.threads : 2, e);
  if (status == 0) status = tern_records_open(&j->records, j->dir, tern_journal_head(j->journal), e);
  return status;
}

/* ---- the model */

/* Bytes of the KV cache a position. */
static int64_t position_bytes(const job *j) {
  static const int64_t element[TERN_KV_TYPES] = {[TERN_KV_F32] = 4, [TERN_KV_F16] = 2, [TERN_KV_INT8] = 1};
  const tern_model_facts *f = &j->opened.facts;
  tern_kv_type kv = j->options->open.kv;
  int64_t scale = kv == TERN_KV_INT8 ? (int64_t)sizeof(float) : 0;
  return (int64_t)f->layers * f->kv_heads * 2 * (f->head_dim * element[kv] + scale);
}

/* KV positions of all asks at once: as many as sequences can use, within a
 * quarter of the memory there is. */
static int choose_positions(const job *j) {
  int64_t all = (int64_t)j->options->sequences * j->context;
  int64_t fit = (int64_t)(tern_memory_available() / 4) / position_bytes(j);
  if (j->options->positions > 0) return j->options->positions;
  if (all > fit) all = fit;
  if (all < j->context) all = j->context;
  return all < INT32_MAX ? (int)all : INT32_MAX;
}

static int load(job *j, tern_error *e) {
  const tern_eval_options *o = j->options;
  if (j->schedule != NULL) return 0;
  int status = tern_opened_load(&j->opened, e);
  if (status != 0) return status;
  const tern_schedule_params sizes = {.sequences = o->sequences,
                                      .batch = o->batch,
                                      .context = j->context,
                                      .positions = choose_positions(j),
                                      .wait = WAIT,
                                      .kv = o->open.kv};
  status = tern_schedule_open(&j->schedule, j->opened.model, j->opened.team, j->opened.tokenizer, &sizes, e);
  if (status == 0 && !o->open.quiet) tern_opened_tell(&j->opened, (size_t)(position_bytes(j) * sizes.positions));
  return status;
}

/* ---- a task */

typedef struct asking {
  job *job;
  const tern_documents *documents;
  bool *asked, *wanted; /* [count] now, of this shard */
  size_t left;          /* to be asked */
  tern_progress bar;
  double done;
} asking;

static int take(void *arg, const tern_document *d, const tern_ask_ids *ids, const tern_reply *replies, tern_error *e) {
  asking *a = arg;
  char hash[TERN_HASH_ROOM];
  size_t count = (size_t)d->ask_count;
  if (tern_hash_asks(ids, count, hash, e) != 0) return (int)e->status;
  json_t *item = tern_item_pack(hash, replies, count, e);
  if (item == NULL) return (int)e->status;
  int status = tern_journal_add(a->job->journal, a->documents->name, d->id, item, e);
  json_decref(item);
  tern_progress_update(&a->bar, ++a->done);
  return status;
}

static int choose_items(asking *a, tern_error *e) {
  const tern_eval_options *o = a->job->options;
  const tern_documents *d = a->documents;
  a->asked = calloc(d->count + 1, sizeof *a->asked);
  a->wanted = calloc(d->count + 1, sizeof *a->wanted);
  if (a->asked == NULL || a->wanted == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", d->name);
  for (size_t i = 0; i < d->count; i++) {
    a->wanted[i] = i % (size_t)o->shards == (size_t)o->shard - 1;
    a->asked[i] = a->wanted[i] && tern_journal_item(a->job->journal, d->name, i) == NULL;
    a->left += a->asked[i];
  }
  return 0;
}

static int write_times(const job *j, const char *name, size_t items, const tern_run_facts *f, tern_error *e) {
  char path[TERN_EVAL_PATH + 16];
  snprintf(path, sizeof path, "%s/timing.csv", j->dir);
  FILE *to = fopen(path, "a");
  if (to == NULL) return tern_fail_errno(e, "%s: cannot write", path);
  if (ftell(to) == 0)
    fprintf(to, "task,items,asks,prompt_tokens,reused_tokens,scored_tokens,generated_tokens,seconds\n");
  fprintf(to, "%s,%zu,%zu,%lld,%lld,%lld,%lld,%.6f\n", name, items, f->asks, (long long)f->fed, (long long)f->reused,
          (long long)f->scored, (long long)f->generated, f->seconds);
  bool bad = ferror(to) != 0;
  if (fclose(to) != 0 || bad) return tern_fail_errno(e, "%s: cannot write", path);
  return 0;
}

static void tell_task(const char *name, size_t items, const tern_run_facts *f) {
  double share = f->fed > 0 ? 100.0 * (double)f->reused / (double)f->fed : 0;
  fprintf(stderr, "%-8s %s: %zu items, %zu asks, %lld prompt tokens, %.1f %% of them from the cache", "asked", name,
          items, f->asks, (long long)f->fed, share);
  if (f->generated > 0) fprintf(stderr, ", %lld generated", (long long)f->generated);
  fprintf(stderr, ", %.1f s, %.1f items/s\n", f->seconds, f->seconds > 0 ? (double)items / f->seconds : 0);
}

static int ask(asking *a, tern_error *e) {
  job *j = a->job;
  const tern_eval_options *o = j->options;
  const tern_documents *d = a->documents;
  tern_run_facts facts = {0};
  bool chat = d->options.chat != NULL;
  int status = load(j, e);
  if (status != 0) return status;
  bool never = tern_eval_bos_never(o, &j->opened, chat);
  const tern_run run = {.schedule = j->schedule,
                        .tokenizer = j->opened.tokenizer,
                        .rules = {.bos = never ? TERN_BOS_NEVER : TERN_BOS_OWN,
                                  .window = (tern_window_rule)o->window,
                                  .context = j->context,
                                  .most_tokens = o->most_tokens},
                        .ahead = 4 * o->sequences,
                        .stops = chat ? j->ends.texts : NULL,
                        .stop_count = chat ? j->ends.text_count : 0,
                        .ends = chat ? j->ends.ids : NULL,
                        .end_count = chat ? j->ends.id_count : 0,
                        .seed = o->seed_given ? (uint64_t)o->seed : (uint64_t)d->task->shots.seed,
                        .take = take,
                        .arg = a};
  tern_progress_start(&a->bar, d->name, (double)a->left);
  status = tern_run_documents(&run, d, a->asked, &facts, e);
  tern_progress_end(&a->bar);
  if (status == 0 && !o->open.quiet) tell_task(d->name, a->left, &facts);
  return status == 0 ? write_times(j, d->name, a->left, &facts, e) : status;
}

static int run_unit(job *j, const tern_eval_unit *u, tern_error *e) {
  const tern_document_options options = tern_eval_unit_options(j->options, u, j->chat);
  tern_documents documents = {0};
  asking a = {.job = j, .documents = &documents};
  int status = tern_documents_make(&documents, u->entry->task, &options, e);
  if (status == 0) status = choose_items(&a, e);
  if (status == 0 && a.left > 0 && j->options->from == NULL) status = ask(&a, e);
  if (status == 0) status = tern_records_add(j->records, &documents, j->journal, a.wanted, j->sandbox, e);
  free(a.asked);
  free(a.wanted);
  tern_documents_close(&documents);
  return status;
}

/* ---- all */

static void tell_how_to_go_on(const job *j, tern_error *e) {
  const tern_error was = *e;
  if (j->journal == NULL || j->options->from != NULL) return;
  size_t items = tern_journal_count(j->journal, NULL);
  if (was.status == TERN_INTERRUPTED || items > 0)
    tern_fail(e, was.status, "%s; %zu items are in %s: the same command with --out %s goes on", was.text, items, j->dir,
              j->dir);
}

static int close_job(job *j, int status, tern_error *e) {
  tern_error other = {0};
  if (status != 0) tell_how_to_go_on(j, e);
  tern_records_close(j->records);
  tern_sandbox_close(j->sandbox);
  tern_schedule_close(j->schedule);
  if (tern_journal_close(j->journal, &other) != 0 && status == 0) {
    *e = other;
    status = (int)other.status;
  }
  tern_opened_close(&j->opened);
  tern_eval_plan_close(&j->plan);
  return status;
}

/* --out, else the journal's own folder, else results/eval-<UTC time>. */
static int choose_folder(const tern_eval_options *o, char *dir, tern_error *e) {
  int n = 0;
  if (o->out != NULL) {
    n = snprintf(dir, TERN_EVAL_PATH, "%s", o->out);
  } else if (o->from != NULL) {
    const char *slash = strrchr(o->from, '/');
    n = slash != NULL ? snprintf(dir, TERN_EVAL_PATH, "%.*s", (int)(slash - o->from), o->from)
                      : snprintf(dir, TERN_EVAL_PATH, ".");
  } else {
    time_t now = time(NULL);
    struct tm t;
    gmtime_r(&now, &t);
    n = (int)strftime(dir, TERN_EVAL_PATH, "results/eval-%Y%m%dT%H%M%SZ", &t);
  }
  return n < TERN_EVAL_PATH ? 0 : tern_fail(e, TERN_FAILED, "--out: name too long");
}

int tern_eval_job_run(tern_eval_options *o, char *dir, json_t **results, tern_error *e) {
  job j = {.options = o, .dir = dir};
  *results = NULL;
  int status = choose_folder(o, dir, e);
  if (status == 0) status = prepare(&j, e);
  for (size_t i = 0; i < j.plan.count && status == 0; i++) status = run_unit(&j, &j.plan.units[i], e);
  if (status == 0) status = tern_records_finish(j.records, results, e);
  return close_job(&j, status, e);
}
