/* Figures of results.json as a table: groups first where there are any, a line
 * for each figure and filter. */
#include <stdio.h>
#include <string.h>

#include "harness/eval_job.h"

static void print_figure(const char *task, const json_t *shots, const char *key, const json_t *value,
                         const json_t *error, FILE *to) {
  char figure[64], place[16] = "";
  const char *comma = strchr(key, ',');
  snprintf(figure, sizeof figure, "%.*s", (int)(comma - key), key);
  if (json_is_integer(shots)) snprintf(place, sizeof place, "%lld", (long long)json_integer_value(shots));
  fprintf(to, "%-36s %5s  %-20s %-22s ", task, place, strcmp(comma + 1, "none") == 0 ? "" : comma + 1, figure);
  if (json_is_number(value))
    fprintf(to, "%9.4f", json_number_value(value));
  else
    fprintf(to, "%9s", "none");
  if (json_is_number(error)) fprintf(to, " +- %.4f", json_number_value(error));
  fputc('\n', to);
}

static void print_task(const json_t *results, const char *task, const json_t *figures, FILE *to) {
  const char *key;
  json_t *value;
  char other[128];
  json_object_foreach((json_t *)figures, key, value) {
    const char *comma = strchr(key, ',');
    if (comma == NULL || strstr(key, "_stderr,") != NULL) continue;
    snprintf(other, sizeof other, "%.*s_stderr%s", (int)(comma - key), key, comma);
    print_figure(task, json_object_get(json_object_get(results, "n-shot"), task), key, value,
                 json_object_get(figures, other), to);
  }
}

void tern_eval_print(const json_t *results, FILE *to) {
  const char *task;
  json_t *figures, *groups = json_object_get(results, "groups"), *all = json_object_get(results, "results");
  fprintf(to, "%-36s %5s  %-20s %-22s %9s\n", "task", "shots", "filter", "figure", "value");
  json_object_foreach(groups, task, figures) print_task(results, task, figures, to);
  json_object_foreach(all, task, figures) {
    if (json_object_get(groups, task) == NULL) print_task(results, task, figures, to);
  }
}
