/* The cache file. {schema, kernels: hash, machines: [{cpu, isa, cache_bytes,
 * times: [{kernel, where, threads, batch, ps}]}]}; a part that is not as it
 * must be makes the file foreign. */
#include "harness/tune_cache.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/job.h"
#include "harness/source.h"

enum { MOST_BYTES = 16 << 20, MOST_THREADS = 4096 };

void tern_tune_path(char *path, size_t size) {
  char folder[PATH_MAX];
  const tern_job none = {0};
  tern_source_cache(&none, folder, sizeof folder);
  snprintf(path, size, "%s/tune.json", folder);
}

void tern_tune_levels(char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (int i = 0; i < TERN_ISA_COUNT; i++) {
    if (!tern_isa_usable((tern_isa)i)) continue;
    int n = snprintf(out + used, size - used, "%s%s", used ? "," : "", tern_isa_name((tern_isa)i));
    if (n < 0 || (size_t)n >= size - used) return;
    used += (size_t)n;
  }
}

void tern_tune_registry(char out[17]) {
  uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
  for (const tern_kernel *const *k = tern_kernels(); *k; k++)
    for (const char *c = (*k)->name;; c++) {
      hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
      if (!*c) break;
    }
  snprintf(out, 17, "%016" PRIx64, hash);
}

static const char *text(const json_t *o, const char *key) {
  const char *s = json_string_value(json_object_get(o, key));
  return s ? s : "";
}

static bool is_this_machine(const json_t *machine) {
  char levels[256];
  tern_tune_levels(levels, sizeof levels);
  return strcmp(text(machine, "cpu"), tern_cpu_name()) == 0 && strcmp(text(machine, "isa"), levels) == 0;
}

/* The file's tree when this program's version can use it; NULL and *e else. */
static json_t *read_tree(const char *path, tern_error *e) {
  char registry[17];
  size_t size;
  char *bytes = tern_file_read(path, MOST_BYTES, &size, e);
  if (!bytes) return NULL;
  json_error_t where;
  json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &where);
  free(bytes);
  if (!root) {
    tern_fail(e, TERN_FAILED, "%s: line %d: not JSON: %.80s", path, where.line, where.text);
    return NULL;
  }
  const json_t *schema = json_object_get(root, "schema");
  tern_tune_registry(registry);
  if (!json_is_integer(schema) || !json_is_array(json_object_get(root, "machines")))
    tern_fail(e, TERN_FAILED, "%s: not a tuning cache", path);
  else if (json_integer_value(schema) != TERN_TUNE_SCHEMA)
    tern_fail(e, TERN_FAILED, "%s: schema %lld, want %d", path, (long long)json_integer_value(schema),
              TERN_TUNE_SCHEMA);
  else if (strcmp(text(root, "kernels"), registry) != 0)
    tern_fail(e, TERN_FAILED, "%s: times of another version's kernels", path);
  if (!e->status) return root;
  json_decref(root);
  return NULL;
}

static const tern_kernel *kernel_named(const char *name) {
  for (const tern_kernel *const *k = tern_kernels(); *k; k++)
    if (strcmp((*k)->name, name) == 0) return *k;
  return NULL;
}

static int read_row(tern_tuning_row *r, const json_t *o, const char *path, tern_error *e) {
  const char *where = text(o, "where");
  const json_int_t threads = json_integer_value(json_object_get(o, "threads"));
  const json_int_t batch = json_integer_value(json_object_get(o, "batch"));
  int place = 0, class = 0;
  while (place < TERN_PLACES && strcmp(where, tern_place_name((tern_place)place)) != 0) place++;
  while (class < TERN_BATCH_CLASSES && batch != tern_batch_timed(class)) class ++;
  *r = (tern_tuning_row){.kernel = kernel_named(text(o, "kernel")),
                         .place = (tern_place)place,
                         .threads = threads > 0 && threads <= MOST_THREADS ? (int)threads : 0,
                         .batch_class = class,
                         .ps = json_number_value(json_object_get(o, "ps"))};
  if (!r->kernel) return tern_fail(e, TERN_FAILED, "%s: kernel \"%.40s\" is not known", path, text(o, "kernel"));
  if (place < TERN_PLACES && class < TERN_BATCH_CLASSES && r->threads > 0 && isfinite(r->ps) && r->ps > 0) return 0;
  return tern_fail(e, TERN_FAILED, "%s: a time of kernel %s is not one", path, r->kernel->name);
}

static tern_tuning *read_machine(const json_t *machine, const char *path, tern_error *e) {
  const json_t *times = json_object_get(machine, "times");
  const json_int_t cache = json_integer_value(json_object_get(machine, "cache_bytes"));
  const size_t count = json_array_size(times);
  if (count == 0 || count > TERN_TUNING_ROWS || cache < 0) {
    tern_fail(e, TERN_FAILED, "%s: %zu times of this CPU, want 1 to %d", path, count, TERN_TUNING_ROWS);
    return NULL;
  }
  tern_tuning *t = calloc(1, sizeof *t);
  if (!t) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    return NULL;
  }
  t->cache = (size_t)cache;
  for (size_t i = 0; i < count && !e->status; i++) read_row(&t->rows[t->count++], json_array_get(times, i), path, e);
  if (!e->status) return t;
  free(t);
  return NULL;
}

tern_tuning *tern_tune_load(const char *path, tern_error *e) {
  FILE *there = fopen(path, "re");
  if (!there) return NULL;
  fclose(there);
  json_t *root = read_tree(path, e), *machine;
  if (!root) return NULL;
  tern_tuning *t = NULL;
  size_t i;
  json_array_foreach(json_object_get(root, "machines"), i, machine) {
    if (!is_this_machine(machine)) continue;
    t = read_machine(machine, path, e);
    break;
  }
  if (!t && !e->status) tern_fail(e, TERN_FAILED, "%s: no times of this CPU and its instruction sets", path);
  json_decref(root);
  return t;
}

tern_tuning *tern_tune_open(const char *path, bool off) {
  const char *forced = getenv("TERNMARK_TUNE");
  char usual[PATH_MAX];
  tern_error e = {0};
  if (off || (!path && forced && strcmp(forced, "off") == 0)) return NULL;
  tern_tune_path(usual, sizeof usual);
  if (!path) path = forced && forced[0] ? forced : usual;
  tern_tuning *t = tern_tune_load(path, &e);
  if (e.status) fprintf(stderr, "ternmark: %s: ignored; `ternmark kernels tune` makes it anew\n", e.text);
  return t;
}

static json_t *machine_json(const tern_tuning *t) {
  char levels[256];
  json_t *times = json_array();
  tern_tune_levels(levels, sizeof levels);
  for (int i = 0; i < t->count; i++) {
    const tern_tuning_row *r = &t->rows[i];
    json_array_append_new(times, json_pack("{s:s, s:s, s:i, s:i, s:f}", "kernel", r->kernel->name, "where",
                                           tern_place_name(r->place), "threads", r->threads, "batch",
                                           tern_batch_timed(r->batch_class), "ps", r->ps));
  }
  return json_pack("{s:s, s:s, s:I, s:o}", "cpu", tern_cpu_name(), "isa", levels, "cache_bytes", (json_int_t)t->cache,
                   "times", times);
}

int tern_tune_save(const char *path, const tern_tuning *t, tern_error *e) {
  char registry[17], folder[PATH_MAX];
  tern_error unread = {0};
  tern_output *out = NULL;
  json_t *machines = json_array(), *machine;
  size_t i;
  /* What other machines that share the folder have found stays. */
  json_t *old = read_tree(path, &unread);
  json_array_append_new(machines, machine_json(t));
  json_array_foreach(json_object_get(old, "machines"), i, machine) {
    if (!is_this_machine(machine)) json_array_append(machines, machine);
  }
  tern_tune_registry(registry);
  json_t *root = json_pack("{s:i, s:s, s:o}", "schema", TERN_TUNE_SCHEMA, "kernels", registry, "machines", machines);
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash && slash > folder) {
    *slash = '\0';
    if (tern_directory_make(folder, e)) goto done;
  }
  if (!root) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    goto done;
  }
  if (tern_output_open(&out, path, e)) goto done;
  json_dumpf(root, tern_output_stream(out), JSON_INDENT(1)); /* an error shows in the commit */
  fputc('\n', tern_output_stream(out));
  tern_output_commit(out, e);
done:
  json_decref(root);
  json_decref(old);
  return (int)e->status;
}
