/* Reads result files in lm-evaluation-harness's form: "results" by task,
 * "FIGURE,FILTER" and "FIGURE_stderr,FILTER" in each. */
#include <csv.h>
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "reports/evals.h"

enum { PATH = 4096, DEPTH = 4 };

typedef struct gathering {
  FILE *to;
  int figures;
} gathering;

static void put(const gathering *g, const char *text, char end) {
  csv_fwrite(g->to, text, strlen(text));
  fputc(end, g->to);
}

static void put_number(const gathering *g, const json_t *v, char end) {
  char text[40] = "";
  if (json_is_integer(v))
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
  else if (json_is_real(v))
    snprintf(text, sizeof text, "%.17g", json_real_value(v));
  put(g, text, end);
}

/* What was evaluated: as the file calls itself, else the file's name; synthetic
 * weights are named so. lm-eval has the name at the top. */
static void name_model(const json_t *root, char *out, size_t size) {
  const json_t *run = json_object_get(json_object_get(root, "ternmark"), "run");
  const char *own = json_string_value(json_object_get(run, "name"));
  const char *file = json_string_value(json_object_get(json_object_get(root, "config"), "model"));
  const char *theirs = json_string_value(json_object_get(root, "model_name"));
  const char *name = own && *own ? own : theirs ? theirs : file ? file : "unnamed";
  bool told = json_is_true(json_object_get(run, "synthetic")) && strncmp(name, "synthetic", 9) != 0;
  snprintf(out, size, "%s%s", told ? "synthetic " : "", name);
}

static bool is_part(const json_t *root, const char *task) {
  const char *group;
  json_t *list, *member;
  size_t i;
  json_object_foreach(json_object_get(root, "group_subtasks"), group, list) {
    json_array_foreach(list, i, member) {
      if (json_is_string(member) && strcmp(json_string_value(member), task) == 0) return true;
    }
  }
  return false;
}

/* Items of a task, or of all that a group holds. */
static void count_items(const json_t *root, const char *task, int depth, json_int_t *done, json_int_t *of) {
  const json_t *n = json_object_get(json_object_get(root, "n-samples"), task);
  const json_t *list = json_object_get(json_object_get(root, "group_subtasks"), task), *member;
  size_t i;
  *done += json_integer_value(json_object_get(n, "effective"));
  *of += json_integer_value(json_object_get(n, "original"));
  if (n || depth == 0) return;
  json_array_foreach(list, i, member) {
    if (json_is_string(member)) count_items(root, json_string_value(member), depth - 1, done, of);
  }
}

/* What results of ours say of a task beside lm-eval's form. */
static const json_t *ours_of(const json_t *root, const char *task) {
  return json_object_get(json_object_get(json_object_get(root, "ternmark"), "tasks"), task);
}

static bool is_string(const json_t *object, const char *key) {
  return json_is_string(json_object_get(object, key));
}

static json_int_t truncated_of(const json_t *root, const char *task) {
  return json_integer_value(json_object_get(ours_of(root, task), "truncated"));
}

static bool is_figure(const char *key) {
  return strchr(key, ',') && !strstr(key, "_stderr,");
}

static void put_figure(gathering *g, const json_t *root, const char *task, const json_t *of, const char *key,
                       const char *file) {
  char deviation[256];
  json_int_t items[2] = {0};
  const char *filter = strchr(key, ',');
  bool in_chat = is_string(ours_of(root, task), "chat") || is_string(root, "chat_template");
  char model[256];
  snprintf(deviation, sizeof deviation, "%.*s_stderr%s", (int)(filter - key), key, filter);
  count_items(root, task, DEPTH, &items[0], &items[1]);
  name_model(root, model, sizeof model);
  put(g, model, ',');
  put(g, task, ',');
  put(g, key, ',');
  put_number(g, json_object_get(of, key), ',');
  put_number(g, json_object_get(of, deviation), ',');
  fprintf(g->to, "%" JSON_INTEGER_FORMAT ",%" JSON_INTEGER_FORMAT ",", items[0], items[1]);
  put_number(g, json_object_get(json_object_get(root, "n-shot"), task), ',');
  fprintf(g->to, "%s,%" JSON_INTEGER_FORMAT ",", in_chat ? "yes" : "no", truncated_of(root, task));
  put(g, file, '\n');
  g->figures++;
}

static int take_file(gathering *g, const char *path, const char *told, tern_error *e) {
  json_error_t where;
  json_t *root = json_load_file(path, 0, &where), *of, *value;
  const json_t *results = json_object_get(root, "results");
  const char *task, *key;
  if (!root) return tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, where.line, where.text);
  if (!json_is_object(results)) {
    json_decref(root);
    return tern_fail(e, TERN_FAILED, "%s: no \"results\": it is no result of an eval", path);
  }
  json_object_foreach((json_t *)(uintptr_t)results, task, of) {
    if (is_part(root, task)) continue;
    json_object_foreach(of, key, value) {
      if (is_figure(key) && json_is_number(value) && strlen(key) < 128) put_figure(g, root, task, of, key, told);
    }
  }
  json_decref(root);
  return 0;
}

/* FROM/NAME/results.json where it is there. */
static int take_folder(gathering *g, const char *from, const char *name, tern_error *e) {
  char path[PATH], told[PATH];
  int n = snprintf(path, sizeof path, "%s%s%s/results.json", from, *name ? "/" : "", name);
  snprintf(told, sizeof told, "%s%sresults.json", name, *name ? "/" : "");
  if (n < 0 || n >= PATH || access(path, F_OK) != 0) return 0;
  return take_file(g, path, told, e);
}

static int visible(const struct dirent *d) {
  return d->d_name[0] != '.';
}

int tern_evals_gather(const char *from, const char *dir, tern_error *e) {
  char path[PATH] = "/dev/null";
  struct dirent **names = NULL;
  tern_output *o = NULL;
  gathering g = {0};
  int count = scandir(from, &names, visible, alphasort), status = 0;
  if (count < 0) return tern_fail_errno(e, "--evals %s", from);
  if (dir) {
    snprintf(path, sizeof path, "%s/evals.csv", dir);
    status = tern_output_open(&o, path, e);
    if (!status) g.to = tern_output_stream(o);
  } else if (!(g.to = fopen(path, "w"))) {
    status = tern_fail_errno(e, "%s", path);
  }
  if (!status) fputs("model,task,figure,value,stderr,items,of,shots,chat,truncated,file\n", g.to);
  if (!status) status = take_folder(&g, from, "", e);
  for (int i = 0; i < count && !status; i++) status = take_folder(&g, from, names[i]->d_name, e);
  if (!status && g.figures == 0)
    status = tern_fail(e, TERN_FAILED, "--evals %s: no results.json in it or in a folder of it", from);
  if (!dir && g.to) fclose(g.to);
  if (status)
    tern_output_abandon(o);
  else if (o)
    status = tern_output_commit(o, e);
  for (int i = 0; i < count; i++) free(names[i]);
  free(names);
  return status;
}
