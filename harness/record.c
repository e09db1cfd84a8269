/* The manifest as a jansson tree that grows during the run. */
#include "harness/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "baselines/standing.h"
#include "engine/base/file.h"
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

/* An argument without the folders of absolute paths: "--cache=/a/b" -> "--cache=b". */
static json_t *argument(const char *arg, bool whole) {
  const char *value = strchr(arg, '=');
  value = value && arg[0] == '-' ? value + 1 : arg;
  if (whole || value[0] != '/') return json_string(arg);
  const char *slash = strrchr(value, '/');
  return json_sprintf("%.*s%s", (int)(value - arg), arg, slash + 1);
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

static json_t *workloads(const tern_preset *p) {
  json_t *list = json_array();
  for (int i = 0; i < p->count; i++)
    json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i}", "name", p->workloads[i].name, "phase",
                                          tern_phase_name(p->workloads[i].phase), "context", p->workloads[i].context,
                                          "tokens", p->workloads[i].tokens));
  return list;
}

tern_record *tern_record_open(const tern_job *job, const tern_machine *m, int blocks, const int *teams,
                              int team_count) {
  tern_record *r = calloc(1, sizeof *r);
  if (!r || !(r->root = json_object())) {
    free(r);
    return NULL;
  }
  json_t *o = r->root, *threads = json_array();
  for (int i = 0; i < team_count; i++) json_array_append_new(threads, json_integer(teams[i]));
  json_object_set_new(o, "schema", json_integer(SCHEMA));
  json_object_set_new(o, "finished", json_false());
  json_object_set_new(o, "started", utc_now());
  json_object_set_new(o, "command", command_line(job));
  json_object_set_new(o, "version", json_string(tern_version()));
  json_object_set_new(o, "revision", text_or_null(tern_revision()));
  json_object_set_new(o, "compiler", json_string(tern_compiler()));
  json_object_set_new(o, "flags", json_string(tern_compile_flags()));
  json_object_set_new(o, "preset", json_string(job->preset->name));
  json_object_set_new(o, "quick", json_boolean(strcmp(job->preset->name, "quick") == 0));
  json_object_set_new(o, "seed", json_integer((json_int_t)job->seed));
  json_object_set_new(o, "blocks", json_integer(blocks));
  json_object_set_new(o, "threads", threads);
  json_object_set_new(o, "workloads", workloads(job->preset));
  json_object_set_new(o, "machine", tern_machine_json(m));
  static const char *const lists[] = {"models", "engines", "skipped", "meters", "warnings"};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) json_object_set_new(o, lists[i], json_array());
  char host[256] = "";
  if (job->with_host && gethostname(host, sizeof host - 1) == 0) json_object_set_new(o, "host", json_string(host));
  return r;
}

void tern_record_close(tern_record *r) {
  if (!r) return;
  json_decref(r->root);
  free(r);
}

void tern_record_model(tern_record *r, const char *name, const char *shape, bool synthetic, size_t file_bytes,
                       const tern_prompt *prompt) {
  append(r, "models",
         json_pack("{s:s, s:o, s:s, s:I, s:s}", "name", name, "shape", text_or_null(shape), "weights",
                   synthetic ? "synthetic" : "trained", "file_bytes", (json_int_t)file_bytes, "prompt", prompt->note));
}

void tern_record_meter(tern_record *r, const char *what, const char *source, const char *why) {
  append(r, "meters",
         json_pack("{s:s, s:o, s:b, s:o}", "what", what, "source", text_or_null(source), "usable", !(why && why[0]),
                   "why", text_or_null(why)));
}

void tern_record_engine(tern_record *r, const char *model, const char *engine, const tern_worker_facts *f,
                        tern_kv_type kv) {
  const tern_model_facts *m = &f->runner.model;
  json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "engine", engine, "model", model, "kernel", f->runner.kernel,
                        "head", f->runner.head, "kv", tern_kv_name(kv), "layout", m->body_layout);
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

void tern_record_skipped(tern_record *r, const char *model, const char *engine, const char *reason) {
  append(r, "skipped", json_pack("{s:s, s:s, s:s}", "model", model, "engine", engine, "reason", reason));
}

void tern_record_warn(tern_record *r, const char *text) {
  append(r, "warnings", json_string(text));
}

void tern_record_set_real(tern_record *r, const char *key, double value) {
  json_object_set_new(r->root, key, json_real(value));
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
