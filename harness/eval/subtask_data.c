/* Subtasks cut out of rows that were read once: a file of 57 subtasks would be
 * parsed as often. */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/document.h"
#include "harness/eval/rows_parts.h"

/* Rows whose split_by is that value, all with NULL; rows themselves are shared. */
static int cut(tern_rows **out, const tern_task *t, const tern_rows *rows, const char *value, tern_error *e) {
  tern_rows *some = *out = calloc(1, sizeof *some);
  if (some == NULL || (some->path = strdup(rows->path)) == NULL || (some->list = json_array()) == NULL)
    return tern_fail(e, TERN_FAILED, "%s: out of memory", rows->path);
  for (size_t i = 0; i < tern_rows_count(rows); i++) {
    bool same = value == NULL;
    if (!same) {
      const json_t *field = tern_rows_field(rows, i, t->split_by, e);
      char *text = field != NULL ? tern_template_text(field, t->split_by, e) : NULL;
      if (text == NULL) return (int)e->status;
      same = strcmp(text, value) == 0;
      free(text);
    }
    if (same && tern_rows_add(some, json_incref(tern_rows_at(rows, i)), tern_rows_line(rows, i), e) != 0)
      return (int)e->status;
  }
  if (tern_rows_count(some) > 0) return 0;
  return tern_fail(e, TERN_FAILED, "%s: no row with %s \"%s\"", rows->path, t->split_by, value != NULL ? value : "");
}

static int copy_paths(tern_task_data *out, const tern_task_data *whole) {
  out->path = strdup(whole->path);
  out->pool_path = whole->pool_path != NULL ? strdup(whole->pool_path) : NULL;
  return out->path != NULL && (out->pool_path != NULL) == (whole->pool_path != NULL) ? 0 : TERN_FAILED;
}

int tern_subtask_data(tern_task_data *out, const tern_task *t, const tern_task_data *whole, const char *subtask,
                      bool shots, tern_error *e) {
  *out = (tern_task_data){.texts = json_incref(whole->texts)};
  int status = cut(&out->rows, t, whole->rows, subtask, e);
  if (status == 0 && shots && whole->pool == whole->rows)
    out->pool = out->rows;
  else if (status == 0 && shots)
    status = cut(&out->pool, t, whole->pool, t->shots.file != NULL ? subtask : NULL, e);
  if (status == 0 && copy_paths(out, whole) != 0) status = tern_fail(e, TERN_FAILED, "%s: out of memory", t->path);
  if (status != 0) tern_task_data_close(out);
  return status;
}
