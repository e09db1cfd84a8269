#include "harness/eval/merge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/file.h"
#include "harness/eval/merge_parts.h"
#include "harness/eval/mtbench.h"
#include "harness/eval/results.h"

static const char whole[] = "1/1";

static json_t *run_of(const json_t *results) {
  return json_object_get(json_object_get(results, "ternmark"), "run");
}

static int read_results(json_t **out, const char *folder, tern_error *e) {
  char *path = NULL;
  struct stat st;
  json_error_t wrong;
  if (asprintf(&path, "%s/results.json", folder) < 0) return tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  int status = 0;
  if (stat(path, &st) != 0)
    status = errno == ENOENT ? tern_fail(e, TERN_FAILED,
                                         "%s: not there: no eval's folder, or one that is not done: the "
                                         "shard's own command goes on with it",
                                         path)
                             : tern_fail_errno(e, "%s", path);
  if (status == 0 && (*out = json_load_file(path, 0, &wrong)) == NULL)
    status = tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, wrong.line, wrong.text);
  if (status == 0 && !json_is_string(json_object_get(run_of(*out), "shard")))
    status = tern_fail(e, TERN_FAILED, "%s: not of `ternmark eval`", path);
  free(path);
  return status;
}

/* What of a shard's results is the whole run's: figures and counts taken out. */
static json_t *frame_of(const json_t *results) {
  json_t *frame = json_deep_copy(results), *task;
  const char *name;
  if (frame == NULL) return NULL;
  json_object_clear(json_object_get(frame, "results"));
  json_object_clear(json_object_get(frame, "groups"));
  json_object_set_new(run_of(frame), "shard", json_string(whole));
  json_object_foreach(json_object_get(frame, "n-samples"), name, task)
      json_object_set_new(task, "effective", json_integer(0));
  json_object_foreach(json_object_get(json_object_get(frame, "ternmark"), "tasks"), name, task) {
    json_object_del(task, "truncated");
    json_object_del(task, "empty");
    json_object_del(task, "facts");
  }
  return frame;
}

/* The first key, a level down where both have objects, that differs. */
static void tell_difference(const char *folder, const json_t *a, const json_t *b, tern_error *e) {
  const char *key, *inner;
  json_t *value, *deeper;
  json_object_foreach((json_t *)a, key, value) {
    const json_t *other = json_object_get(b, key);
    if (json_equal(value, other)) continue;
    inner = "";
    json_object_foreach(value, inner, deeper) {
      if (!json_equal(deeper, json_object_get(other, inner))) break;
    }
    tern_fail(e, TERN_FAILED, "%s: of another run than the first folder: %s%s%.100s differs", folder, key,
              inner != NULL && *inner != '\0' ? "." : "", inner != NULL ? inner : "");
    return;
  }
  tern_fail(e, TERN_FAILED, "%s: of another run than the first folder", folder);
}

/* Each of n shards once. */
static int check_shard(const char *folder, const json_t *results, size_t count, bool *seen, tern_error *e) {
  const char *shard = json_string_value(json_object_get(run_of(results), "shard"));
  size_t i, n;
  if (sscanf(shard, "%zu/%zu", &i, &n) != 2 || i < 1 || i > n)
    return tern_fail(e, TERN_FAILED, "%s: shard \"%.40s\" is not I/N", folder, shard);
  if (n != count)
    return tern_fail(e, TERN_FAILED, "%s: shard %zu of %zu; %zu folders were given: all of the run's are needed",
                     folder, i, n, count);
  if (seen[i - 1]) return tern_fail(e, TERN_FAILED, "%s: shard %zu of %zu is there twice", folder, i, n);
  seen[i - 1] = true;
  return 0;
}

static int check_all(json_t **frame, const char *const *folders, size_t count, tern_error *e) {
  bool *seen = calloc(count + 1, sizeof *seen);
  int status = seen != NULL ? 0 : tern_fail(e, TERN_FAILED, "merge: out of memory");
  for (size_t i = 0; i < count && status == 0; i++) {
    json_t *results = NULL, *own = NULL;
    status = read_results(&results, folders[i], e);
    if (status == 0) status = check_shard(folders[i], results, count, seen, e);
    if (status == 0 && (own = frame_of(results)) == NULL) status = tern_fail(e, TERN_FAILED, "merge: out of memory");
    if (status == 0 && *frame == NULL) *frame = json_incref(own);
    if (status == 0 && !json_equal(*frame, own)) {
      const json_t *a = run_of(*frame), *b = run_of(own);
      bool same_run = json_equal(a, b);
      tell_difference(folders[i], same_run ? *frame : a, same_run ? own : b, e);
      status = (int)e->status;
    }
    json_decref(own);
    json_decref(results);
  }
  free(seen);
  return status;
}

int tern_merge(const char *out, const char *const *folders, size_t count, json_t **results, tern_error *e) {
  json_t *frame = NULL, *task;
  const char *name;
  *results = NULL;
  int status = check_all(&frame, folders, count, e);
  if (status == 0) status = tern_directory_make(out, e);
  const json_t *tasks = json_object_get(frame, "configs");
  if (status == 0) status = tern_merge_journals(out, folders, count, run_of(frame), tasks, e);
  json_object_foreach((json_t *)tasks, name, task) {
    if (status == 0) status = tern_merge_samples(out, folders, count, name, e);
    const char *model = json_string_value(json_object_get(run_of(frame), "model"));
    if (status == 0 && json_object_get(task, "turns") != NULL)
      status = tern_mtbench_write(out, name, model != NULL ? model : "model", e);
  }
  if (status == 0) status = tern_results_sum(frame, out, e);
  if (status == 0) status = tern_results_write(frame, out, e);
  if (status == 0) *results = json_incref(frame);
  json_decref(frame);
  return status;
}
