/* Tab-separated tables of a few hundred rows, read whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/train/mini/table.h"

enum { LIMIT = 1 << 20 };

static int read_row(const mini_table *t, mini_row *r, char *line, int least, int most, tern_error *e) {
  for (char *field; (field = strsep(&line, "\t"));) {
    if (!*field) return tern_fail(e, TERN_FAILED, "%s: line %d has an empty field", t->path, r->line);
    if (r->fields == most)
      return tern_fail(e, TERN_FAILED, "%s: line %d has more than %d fields", t->path, r->line, most);
    r->field[r->fields++] = field;
  }
  if (r->fields < least)
    return tern_fail(e, TERN_FAILED, "%s: line %d has %d fields, %d are needed", t->path, r->line, r->fields, least);
  return 0;
}

int mini_table_open(mini_table *t, const char *folder, const char *name, int least, int most, tern_error *e) {
  size_t size, lines = 1;
  *t = (mini_table){0};
  if ((size_t)snprintf(t->path, sizeof t->path, "%s/%s", folder, name) >= sizeof t->path)
    return tern_fail(e, TERN_FAILED, "%.200s: the path is too long", folder);
  t->text = tern_file_read(t->path, LIMIT, &size, e);
  if (!t->text) return (int)e->status;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)t->text[i];
    if (c < ' ' && c != '\n' && c != '\t')
      return tern_fail(e, TERN_FAILED, "%s: line %zu has a control character", t->path, lines);
    lines += c == '\n';
  }
  t->row = calloc(lines, sizeof *t->row);
  if (!t->row) return tern_fail(e, TERN_FAILED, "%s: out of memory", t->path);
  int number = 0;
  char *rest = t->text;
  for (char *line; (line = strsep(&rest, "\n"));) {
    number++;
    if (!*line || *line == '#') continue;
    t->row[t->rows] = (mini_row){.line = number};
    int rc = read_row(t, &t->row[t->rows++], line, least, most, e);
    if (rc) return rc;
  }
  return t->rows ? 0 : tern_fail(e, TERN_FAILED, "%s: has no rows", t->path);
}

void mini_table_close(mini_table *t) {
  free(t->row);
  free(t->text);
  *t = (mini_table){0};
}

/* Splits are checked: "train" or "test". */
static bool is_phrase(const mini_row *r, const char *part, bool test) {
  return (r->field[1][1] == 'e') == test && strcmp(r->field[0], part) == 0;
}

static int count(const mini_table *t, const char *part, bool test) {
  int n = 0;
  for (int i = 0; i < t->rows; i++) n += is_phrase(&t->row[i], part, test);
  return n;
}

int mini_phrases_check(const mini_table *t, const char *const *parts, tern_error *e) {
  for (int i = 0; i < t->rows; i++) {
    const char *split = t->row[i].field[1];
    if (strcmp(split, "train") != 0 && strcmp(split, "test") != 0)
      return tern_fail(e, TERN_FAILED, "%s: line %d: the split is 'train' or 'test', not '%.40s'", t->path,
                       t->row[i].line, split);
  }
  for (; *parts; parts++)
    for (int test = 0; test < 2; test++)
      if (!count(t, *parts, test))
        return tern_fail(e, TERN_FAILED, "%s: part '%s' has no line for %s", t->path, *parts, test ? "test" : "train");
  return 0;
}

const char *mini_phrase(const mini_table *t, const char *part, bool test, mini_draw *d) {
  int k = mini_below(d, count(t, part, test));
  for (int i = 0;; i++)
    if (is_phrase(&t->row[i], part, test) && k-- == 0) return t->row[i].field[2];
}
