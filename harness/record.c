/* The manifest as a jansson tree that grows during the run. */
#include "harness/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "baselines/standing.h"
#include "engine/base/file.h"
#include "harness/source.h"
#include "harness/version.h"

enum { SCHEMA = 1 };

struct tern_record {
  json_t *root;
};

static json_t *text_or_null(const char *s) {
  return s && s[0] ? json_string(s) : json_null();
}

static void append(tern_record *r, const char *list, json_t *item) {
  json_array_append_new(json_object_get(r->root, list), item);
}

static bool ends_path(char c) {
  return c == '\0' || strchr(" \t'\"=:,;", c);
}

/* A word without the folders of absolute paths: "--cache=/a/b" -> "--cache=b". */
static json_t *argument(const char *arg, bool whole) {
  size_t used = 0, size = strlen(arg) + 1;
  char *text = whole ? NULL : malloc(size);
  if (!text) return json_string(arg);
  for (const char *at = arg; *at;) {
    bool begins = *at == '/' && (at == arg || ends_path(at[-1]));
    const char *last = at;
    for (const char *p = at; begins && !ends_path(*p); p++)
      if (*p == '/' && !ends_path(p[1])) last = p + 1;
    if (begins && last > at)
      at = last;
    else
      text[used++] = *at++;
  }
  text[used] = '\0';
  json_t *word = json_string(text);
  free(text);
  return word;
}

static json_t *command_line(const tern_job *job) {
  json_t *list = json_array();
  json_array_append_new(list, json_string("ternmark"));
  for (int i = 0; i < job->argc; i++) json_array_append_new(list, argument(job->argv[i], job->with_host));
  return list;
}

static json_t *utc_now(void) {
  char text[32];
  time_t now = time(NULL);
  struct tm t;
  gmtime_r(&now, &t);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t);
  return json_string(text);
}

static json_t *workloads(const tern_workload_list *l) {
  json_t *list = json_array();
  for (int i = 0; i < l->count; i++) {
    const tern_workload *w = &l->items[i];
    json_t *o = json_pack("{s:s, s:s, s:i, s:i}", "name", w->name, "phase", tern_phase_name(w->phase), "context",
                          w->context, "tokens", w->tokens);
    if (w->batch > 0) json_object_set_new(o, "batch", json_integer(w->batch));
    json_array_append_new(list, o);
  }
  return list;
}

static json_t *contenders(const tern_contender_list *l) {
  json_t *list = json_array();
  for (int i = 0; i < l->count; i++) json_array_append_new(list, json_string(l->items[i].name));
  return list;
}

static json_t *team_list(const tern_teams *teams) {
  json_t *list = json_array();
  for (int i = 0; i < teams->count; i++) {
    const tern_team_spec *t = &teams->items[i];
    json_t *cpus = json_array();
    for (int c = 0; t->bound && c < t->threads; c++) json_array_append_new(cpus, json_integer(t->cpus[c]));
    json_array_append_new(list,
                          json_pack("{s:i, s:s, s:o}", "threads", t->threads, "placement", t->placement, "cpus", cpus));
  }
  return list;
}

static json_t *thread_counts(const tern_teams *teams) {
  json_t *list = json_array();
  for (int i = 0; i < teams->count; i++)
    if (i == 0 || teams->items[i].threads != teams->items[i - 1].threads)
      json_array_append_new(list, json_integer(teams->items[i].threads));
  return list;
}

/* What was asked for, and of what machine. */
static void describe_run(json_t *o, const tern_job *job, const tern_machine *m, const tern_teams *teams) {
  json_object_set_new(o, "schema", json_integer(SCHEMA));
  json_object_set_new(o, "finished", json_false());
  json_object_set_new(o, "started", utc_now());
  json_object_set_new(o, "command", command_line(job));
  json_object_set_new(o, "version", json_string(tern_version()));
  json_object_set_new(o, "revision", text_or_null(tern_revision()));
  json_object_set_new(o, "compiler", json_string(tern_compiler()));
  json_object_set_new(o, "flags", json_string(tern_compile_flags()));
  json_object_set_new(o, "preset", json_string(job->preset));
  json_object_set_new(o, "quick", json_boolean(strcmp(job->preset, "quick") == 0));
  json_object_set_new(o, "seed", json_integer((json_int_t)job->seed));
  json_object_set_new(o, "blocks", json_integer(job->rule.blocks));
  json_object_set_new(o, "precision", job->rule.precision > 0 ? json_real(job->rule.precision) : json_null());
  json_object_set_new(o, "time_budget_s", job->rule.budget_s > 0 ? json_real(job->rule.budget_s) : json_null());
  json_object_set_new(o, "reference", json_string(job->contenders.items[0].name));
  json_object_set_new(o, "contenders", contenders(&job->contenders));
  json_object_set_new(o, "threads", thread_counts(teams));
  json_object_set_new(o, "teams", team_list(teams));
  json_object_set_new(o, "workloads", workloads(&job->workloads));
  json_object_set_new(o, "machine", tern_machine_json(m));
  if (job->grid_co2 > 0) json_object_set_new(o, "grid_co2_g_per_kwh", json_real(job->grid_co2));
  if (job->energy_rules) json_object_set_new(o, "energy_rules", json_string(job->energy_rules));
}

tern_record *tern_record_open(const tern_job *job, const tern_machine *m, const tern_teams *teams) {
  tern_record *r = calloc(1, sizeof *r);
  if (!r || !(r->root = json_object())) {
    free(r);
    return NULL;
  }
  json_t *o = r->root;
  describe_run(o, job, m, teams);
  static const char *const lists[] = {"models", "engines", "peers", "skipped", "meters", "stopped", "warnings"};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) json_object_set_new(o, lists[i], json_array());
  for (int i = 0; i < teams->refused_count; i++)
    tern_record_skipped(r, "", "", teams->refused[i].team, teams->refused[i].why);
  char host[256] = "";
  if (job->with_host && gethostname(host, sizeof host - 1) == 0) json_object_set_new(o, "host", json_string(host));
  return r;
}

/* What the first part has found stays: models that are done, what was left out
 * and why, when it began. */
tern_record *tern_record_reopen(const tern_job *job, const tern_machine *m, const tern_teams *teams, const char *dir,
                                int64_t samples) {
  tern_record *r = tern_record_open(job, m, teams);
  char path[4096];
  snprintf(path, sizeof path, "%s/manifest.json", dir);
  json_t *old = r ? json_load_file(path, 0, NULL) : NULL;
  if (!old) return r;
  static const char *const kept[] = {"started", "peers", "skipped", "stopped", "warnings", "resumed", "idle"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
    if (json_object_get(old, kept[i])) json_object_set(r->root, kept[i], json_object_get(old, kept[i]));
  tern_record_add(r, "resumed",
                  json_pack("{s:o, s:I, s:o}", "at", utc_now(), "samples", (json_int_t)samples, "revision_before",
                            json_incref(json_object_get(old, "revision"))));
  /* Engines of models that are done are not opened again. */
  json_t *engines = json_object_get(old, "engines"), *one;
  size_t i;
  json_array_foreach(engines, i, one) {
    const char *model = json_string_value(json_object_get(one, "model"));
    if (model && tern_record_has_stopped(r, model)) append(r, "engines", json_incref(one));
  }
  json_decref(old);
  return r;
}

void tern_record_close(tern_record *r) {
  if (!r) return;
  json_decref(r->root);
  free(r);
}

void tern_record_model(tern_record *r, const tern_source *s, const tern_prompts *prompts,
                       const tern_workload_list *loads) {
  json_t *o = json_pack(
      "{s:s, s:o, s:s, s:I, s:s}", "name", s->name, "shape", text_or_null(s->synthetic ? s->shape.name : ""), "weights",
      s->synthetic ? "synthetic" : "trained", "file_bytes", (json_int_t)s->bytes, "prompt", prompts->items[0].note);
  if (prompts->count > 1) json_object_set_new(o, "workloads", workloads(loads));
  append(r, "models", o);
}

void tern_record_meter(tern_record *r, const char *what, const char *source, const char *why) {
  append(r, "meters",
         json_pack("{s:s, s:o, s:b, s:o}", "what", what, "source", text_or_null(source), "usable", !(why && why[0]),
                   "why", text_or_null(why)));
}

static void record_outside(tern_record *r, const char *model, const tern_entrant *n) {
  const tern_peer_facts *p = &n->program;
  append(r, "peers",
         json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "engine", n->contender->name, "model", model, "program",
                   p->program, "sha256", text_or_null(p->sha256), "libraries_sha256", text_or_null(p->libraries),
                   "version", text_or_null(p->version)));
}

void tern_record_outside(tern_record *r, const char *model, const tern_entrant *n) {
  size_t i;
  json_t *one;
  json_array_foreach(json_object_get(r->root, "peers"), i, one) {
    if (strcmp(json_string_value(json_object_get(one, "engine")), n->contender->name) != 0 ||
        strcmp(json_string_value(json_object_get(one, "model")), model) != 0)
      continue;
    json_object_set_new(one, "reader", text_or_null(n->reader));
    if (n->version[0]) json_object_set_new(one, "version", json_string(n->version));
  }
}

void tern_record_entrant(tern_record *r, const char *model, const tern_entrant *n) {
  if (n->contender->peer) {
    record_outside(r, model, n);
    return;
  }
  const tern_worker_facts *f = &n->facts;
  const char *engine = n->contender->name;
  tern_kv_type kv = n->contender->kv;
  const tern_model_facts *m = &f->runner.model;
  json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "engine", engine, "model", model, "kernel", f->runner.kernel,
                        "head", f->runner.head, "kv", tern_kv_names[kv], "layout", m->body_layout);
  const struct {
    const char *key;
    size_t bytes;
  } sizes[] = {{"body_bytes", m->body_bytes},
               {"head_bytes", m->head_bytes},
               {"scan_bytes", m->scan_bytes},
               {"embedding_bytes", m->embedding_bytes},
               {"norm_bytes", m->norm_bytes},
               {"kv_bytes", f->runner.kv_bytes},
               {"bytes_per_token", f->runner.body_bytes_a_token}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    json_object_set_new(o, sizes[i].key, json_integer((json_int_t)sizes[i].bytes));
  json_object_set_new(o, "batch_kernel", json_string(m->body_batch_kernel));
  json_object_set_new(o, "tuned", json_boolean(m->tuned));
  json_object_set_new(o, "architecture", json_string(m->arch ? m->arch->name : ""));
  json_object_set_new(o, "layers", json_integer(m->layers));
  json_object_set_new(o, "body_weights", json_integer((json_int_t)m->body_weights));
  append(r, "engines", o);
  const char *doubt = tern_baseline_doubt(f->runner.kernel);
  if (doubt) {
    json_t *provisional = json_object_get(r->root, "provisional");
    if (!provisional) {
      provisional = json_object();
      json_object_set_new(r->root, "provisional", provisional);
    }
    json_object_set_new(provisional, engine, json_string(doubt));
  }
}

void tern_record_limits(tern_record *r, json_t *limits) {
  json_object_set_new(r->root, "limits", limits);
}

static json_t *member(json_t *o, const char *key) {
  if (!json_object_get(o, key)) json_object_set_new(o, key, json_object());
  return json_object_get(o, key);
}

void tern_record_gops(tern_record *r, const char *kernel, double gops) {
  json_object_set_new(member(member(r->root, "limits"), "gops"), kernel, json_real(gops));
}

/* A reason that stands already is not told twice. */
static bool has(const tern_record *r, const char *list, const json_t *item) {
  size_t i;
  json_t *one;
  json_array_foreach(json_object_get(r->root, list), i, one) if (json_equal(one, item)) return true;
  return false;
}

void tern_record_skipped(tern_record *r, const char *model, const char *engine, const char *what, const char *reason) {
  json_t *item = json_pack("{s:s, s:s, s:s}", "model", model, "engine", engine, "reason", reason);
  if (item && what[0]) json_object_set_new(item, "what", json_string(what));
  if (!item || has(r, "skipped", item))
    json_decref(item);
  else
    append(r, "skipped", item);
}

void tern_record_warn(tern_record *r, const char *text) {
  append(r, "warnings", json_string(text));
}

void tern_record_add(tern_record *r, const char *list, json_t *item) {
  if (!json_object_get(r->root, list)) json_object_set_new(r->root, list, json_array());
  append(r, list, item);
}

void tern_record_set(tern_record *r, const char *key, json_t *value) {
  json_object_set_new(r->root, key, value);
}

void tern_record_stopped(tern_record *r, json_t *entry) {
  append(r, "stopped", entry);
}

bool tern_record_has_stopped(const tern_record *r, const char *model) {
  size_t i;
  json_t *one;
  json_array_foreach(json_object_get(r->root, "stopped"), i, one) {
    const char *name = json_string_value(json_object_get(one, "model"));
    if (name && strcmp(name, model) == 0) return true;
  }
  return false;
}

void tern_record_finish(tern_record *r) {
  json_object_set_new(r->root, "ended", utc_now());
  json_object_set_new(r->root, "finished", json_true());
}

int tern_record_write(const tern_record *r, const char *dir, tern_error *e) {
  char path[4096];
  tern_output *o;
  snprintf(path, sizeof path, "%s/manifest.json", dir);
  if (tern_output_open(&o, path, e)) return (int)e->status;
  if (json_dumpf(r->root, tern_output_stream(o), JSON_INDENT(2)) != 0) {
    tern_output_abandon(o);
    return tern_fail(e, TERN_FAILED, "%s: cannot write (text that is not UTF-8, or a full disk)", path);
  }
  fputc('\n', tern_output_stream(o));
  return tern_output_commit(o, e);
}
