/* plan.json. */
#include "harness/resume.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "engine/base/file.h"

enum { PLAN_LIMIT = 1 << 20, MOST_WORDS = 4096, PLAN_PATH = PATH_MAX + 16 };

static void plan_path(char *path, const char *dir) {
  snprintf(path, PLAN_PATH, "%.*s/plan.json", PATH_MAX, dir);
}

int tern_resume_write(const tern_job *job, const char *dir, tern_error *e) {
  char path[PLAN_PATH], here[PATH_MAX];
  tern_output *o;
  plan_path(path, dir);
  if (!getcwd(here, sizeof here)) return tern_fail_errno(e, "the current folder");
  if (tern_output_open(&o, path, e)) return (int)e->status;
  json_t *words = json_array();
  for (int i = 0; i < job->argc; i++) json_array_append_new(words, json_string(job->argv[i]));
  json_t *plan = json_pack("{s:s, s:s, s:o}", "command", job->command, "folder", here, "words", words);
  bool bad = !plan || json_dumpf(plan, tern_output_stream(o), JSON_INDENT(2)) != 0;
  json_decref(plan);
  if (bad) {
    tern_output_abandon(o);
    return tern_fail(e, TERN_FAILED, "%s: cannot write (words that are not UTF-8, or a full disk)", path);
  }
  return tern_output_commit(o, e);
}

void tern_resume_remove(const char *dir) {
  char path[PLAN_PATH];
  plan_path(path, dir);
  remove(path);
}

static char **words_of(const json_t *plan, int *count) {
  const json_t *list = json_object_get(plan, "words");
  size_t n = json_array_size(list);
  if (n < 1 || n > MOST_WORDS) return NULL;
  char **words = calloc(n + 1, sizeof *words);
  for (size_t i = 0; words && i < n; i++) {
    const char *word = json_string_value(json_array_get(list, i));
    if (!word || !(words[i] = strdup(word))) {
      for (size_t j = 0; j < i; j++) free(words[j]);
      free(words);
      return NULL;
    }
  }
  *count = (int)n;
  return words;
}

static json_t *read_plan(const char *path, const char *dir, tern_error *e) {
  size_t size;
  json_error_t problem;
  if (access(path, F_OK) != 0) {
    tern_fail(e, TERN_FAILED, "%s: no plan.json: the run has finished, or this is no result folder", dir);
    return NULL;
  }
  char *text = tern_file_read(path, PLAN_LIMIT, &size, e);
  if (!text) return NULL;
  json_t *plan = json_loadb(text, size, 0, &problem);
  free(text);
  if (!plan) tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, problem.line, problem.text);
  return plan;
}

int tern_resume_load(const char *dir, const char *command, char **folder, int *count, char ***words, tern_error *e) {
  char path[PLAN_PATH];
  *words = NULL;
  *folder = realpath(dir, NULL);
  if (!*folder) return tern_fail_errno(e, "%s", dir);
  plan_path(path, *folder);
  json_t *plan = read_plan(path, dir, e);
  if (!plan) goto out;
  const char *whose = json_string_value(json_object_get(plan, "command")),
             *where = json_string_value(json_object_get(plan, "folder"));
  if (!whose || !where || !(*words = words_of(plan, count)))
    tern_fail(e, TERN_FAILED, "%s: \"command\", \"folder\" or \"words\" is missing", path);
  else if (strcmp(whose, command) != 0)
    tern_fail(e, TERN_USAGE, "%s is a run of `ternmark %.40s`; resume it with that", dir, whose);
  else if (chdir(where) != 0)
    tern_fail_errno(e, "%s: the folder that the run was started in", where);
out:
  json_decref(plan);
  if (e->status) {
    free(*folder);
    for (int i = 0; *words && i < *count; i++) free((*words)[i]);
    free(*words);
    *folder = NULL;
    *words = NULL;
  }
  return (int)e->status;
}
