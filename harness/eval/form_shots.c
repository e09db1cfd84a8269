/* Shots that others wrote, out of the lm-eval files that hold them: a list of
 * dicts in Python whose strings are JSON's too, items of plain YAML scalars, and
 * a text inside a double-quoted YAML scalar. What these readers don't know is an
 * error, and the result's SHA-256 is known: a wrong reading can't pass. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/eval/archive.h"
#include "harness/eval/form_parts.h"

enum { MOST = 1 << 20, LONGEST_KEY = 40 };

/* The file, or the archive's member, from behind `after` on; *bytes is to be freed. */
static char *text_after(char **bytes, const json_t *form, const char *download, tern_error *e) {
  size_t size;
  tern_members m = {0};
  const char *after = tern_form_text(form, "after"), *member = tern_form_text(form, "member");
  *bytes = NULL;
  if (member == NULL) {
    *bytes = tern_file_read(download, MOST, &size, e);
  } else if (tern_archive_read(&m, download, member, MOST, e) == TERN_OK) {
    *bytes = m.all[0].data;
    m.all[0].data = NULL;
  }
  tern_members_close(&m);
  if (*bytes == NULL) return NULL;
  char *at = strstr(*bytes, after);
  if (at == NULL) {
    tern_fail(e, TERN_FAILED, "%s: has no '%.60s': another form than it had", download, after);
    return NULL;
  }
  return at + strlen(after);
}

/* JSON has no comma behind the last entry. */
static void drop_last_commas(char *text) {
  bool quoted = false;
  for (char *c = text; *c; c++) {
    if (quoted && *c == '\\' && c[1] != '\0')
      c++;
    else if (*c == '"')
      quoted = !quoted;
    else if (!quoted && *c == ',') {
      size_t n = strspn(c + 1, " \t\r\n");
      if (c[1 + n] == ']' || c[1 + n] == '}') *c = ' ';
    }
  }
}

int tern_form_python_list(const json_t *form, const char *download, tern_sink *to, tern_error *e) {
  char *bytes, *at = text_after(&bytes, form, download, e);
  json_error_t why;
  json_t *list = NULL, *row;
  size_t i;
  int status = at == NULL ? TERN_FAILED : TERN_OK;
  if (status == TERN_OK) {
    drop_last_commas(at);
    list = json_loads(at, JSON_DISABLE_EOF_CHECK, &why);
    if (!json_is_array(list))
      status = tern_fail(e, TERN_FAILED, "%s: no list of plain dicts behind '%.60s'", download,
                         tern_form_text(form, "after"));
  }
  json_array_foreach(list, i, row) if (status == TERN_OK) status = tern_sink_row(to, row, e);
  json_decref(list);
  free(bytes);
  return status;
}

/* "key: text" of an item; false: the line goes on with the text before. Plain
 * scalars hold no ": " themselves. */
static bool take_key(char *line, char **key, char **text) {
  char *colon = strstr(line, ": ");
  size_t n = colon != NULL ? (size_t)(colon - line) : 0;
  if (n == 0 || n > LONGEST_KEY || strspn(line, "abcdefghijklmnopqrstuvwxyz_") != n) return false;
  *colon = '\0';
  *key = line;
  *text = colon + 2;
  return true;
}

static bool append(json_t *row, const char *key, const char *line) {
  const char *before = json_string_value(json_object_get(row, key));
  json_t *all = before != NULL ? json_sprintf("%s %s", before, line) : json_string(line);
  return all != NULL && json_object_set_new(row, key, all) == 0;
}

int tern_form_yaml_items(const json_t *form, const char *download, tern_sink *to, tern_error *e) {
  char *bytes, *at = text_after(&bytes, form, download, e), *save = NULL;
  const char *key = NULL;
  json_t *row = NULL;
  int status = at == NULL ? TERN_FAILED : TERN_OK;
  for (char *line = at != NULL ? strtok_r(at, "\n", &save) : NULL; line != NULL && status == TERN_OK;
       line = strtok_r(NULL, "\n", &save)) {
    char *found, *text = line + strspn(line, " ");
    bool starts = strncmp(text, "- ", 2) == 0;
    if (text == line && !starts) break; /* the next key of the file */
    if (starts) {
      if (row != NULL) status = tern_sink_row(to, row, e);
      json_decref(row);
      row = json_object();
      text += 2;
    }
    if (take_key(text, &found, &text))
      key = found;
    else if (starts)
      key = NULL;
    if (status == TERN_OK &&
        (key == NULL || row == NULL || strchr("\"'|>&*[{", text[0]) != NULL || !append(row, key, text)))
      status = tern_fail(e, TERN_FAILED, "%s: a line that is no plain YAML scalar: %.60s", download, text);
  }
  if (status == TERN_OK && row == NULL) status = tern_fail(e, TERN_FAILED, "%s: no items", download);
  if (status == TERN_OK) status = tern_sink_row(to, row, e);
  json_decref(row);
  free(bytes);
  return status;
}

/* Escapes in place; a backslash at a line's end joins the lines. */
static bool unescape(char *text) {
  char *out = text;
  for (char *c = text; *c; c++) {
    if (*c != '\\') {
      *out++ = *c;
      continue;
    }
    switch (*++c) {
    case 'n':
      *out++ = '\n';
      break;
    case '"':
    case '\\':
      *out++ = *c;
      break;
    case '\n':
      c += strspn(c + 1, " ");
      break;
    default:
      return false;
    }
  }
  *out = '\0';
  return true;
}

int tern_form_yaml_text(const json_t *form, const char *download, tern_sink *to, tern_error *e) {
  char *bytes, *at = text_after(&bytes, form, download, e);
  char *end = at != NULL ? strstr(at, tern_form_text(form, "before")) : NULL;
  int status = at == NULL ? TERN_FAILED : TERN_OK;
  if (end != NULL) *end = '\0';
  if (status == TERN_OK && (end == NULL || !unescape(at)))
    status = tern_fail(e, TERN_FAILED, "%s: no text that ends in '%.40s'", download, tern_form_text(form, "before"));
  json_t *row = status == TERN_OK ? json_pack("{s:s}", "text", at) : NULL;
  if (status == TERN_OK) status = tern_sink_row(to, row, e);
  json_decref(row);
  free(bytes);
  return status;
}
