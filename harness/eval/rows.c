/* Formats of dataset files by name, and JSON's two. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/text/utf8.h"
#include "harness/eval/rows_parts.h"

static const size_t file_limit = (size_t)1 << 30;

int tern_rows_add(tern_rows *rows, json_t *row, size_t line, tern_error *e) {
  size_t count = json_array_size(rows->list);
  if (count == rows->room) {
    size_t room = count ? 2 * count : 1024, *more = realloc(rows->lines, room * sizeof *more);
    if (more == NULL) {
      json_decref(row);
      return tern_fail(e, TERN_FAILED, "%s: out of memory", rows->path);
    }
    rows->lines = more;
    rows->room = room;
  }
  rows->lines[count] = line;
  if (json_array_append_new(rows->list, row) != 0) return tern_fail(e, TERN_FAILED, "%s: out of memory", rows->path);
  return 0;
}

static bool blank(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (strchr(" \t\r", text[i]) == NULL || text[i] == '\0') return false;
  }
  return true;
}

static int read_lines(tern_rows *rows, const char *text, size_t size, tern_error *e) {
  size_t line = 1;
  for (const char *at = text, *end = text + size; at < end; line++) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((stop ? stop : end) - at);
    if (!blank(at, length)) {
      json_error_t wrong;
      json_t *row = tern_rows_json(at, length, &wrong);
      if (row == NULL)
        return tern_fail(e, TERN_FAILED, "%s: line %zu, byte %d: not JSON: %s", rows->path, line, wrong.position,
                         wrong.text);
      if (!json_is_object(row)) {
        json_decref(row);
        return tern_fail(e, TERN_FAILED, "%s: line %zu: not an object", rows->path, line);
      }
      if (tern_rows_add(rows, row, line, e) != 0) return (int)e->status;
    }
    at += length + 1;
  }
  return 0;
}

static int read_list(tern_rows *rows, const char *text, size_t size, tern_error *e) {
  json_error_t wrong;
  json_t *root = tern_rows_json(text, size, &wrong), *row;
  int status = 0;
  size_t i;
  if (root == NULL) return tern_fail(e, TERN_FAILED, "%s: line %d: not JSON: %s", rows->path, wrong.line, wrong.text);
  if (!json_is_array(root)) status = tern_fail(e, TERN_FAILED, "%s: a list of objects was expected", rows->path);
  json_array_foreach(root, i, row) {
    if (status != 0) break;
    status = json_is_object(row) ? tern_rows_add(rows, json_incref(row), i + 1, e)
                                 : tern_fail(e, TERN_FAILED, "%s: entry %zu: not an object", rows->path, i + 1);
  }
  json_decref(root);
  return status;
}

static int read_csv(tern_rows *rows, const char *text, size_t size, tern_error *e) {
  return tern_rows_read_csv(rows, text, size, ',', e);
}

static int read_tsv(tern_rows *rows, const char *text, size_t size, tern_error *e) {
  return tern_rows_read_csv(rows, text, size, '\t', e);
}

static const struct {
  const char *suffix;
  int (*read)(tern_rows *, const char *, size_t, tern_error *);
} formats[] = {{".jsonl", read_lines}, {".json", read_list}, {".csv", read_csv}, {".tsv", read_tsv}};
enum { FORMATS = sizeof formats / sizeof *formats };

static int format_of(const char *path) {
  size_t size = strlen(path);
  if (size > 3 && strcmp(path + size - 3, ".gz") == 0) size -= 3;
  for (int f = 0; f < FORMATS; f++) {
    size_t n = strlen(formats[f].suffix);
    if (size > n && memcmp(path + size - n, formats[f].suffix, n) == 0) return f;
  }
  return -1;
}

/* What a server sends instead of data: an error page with status 200. */
static bool is_page(const char *text) {
  while (*text != '\0' && strchr(" \t\r\n", *text)) text++;
  return strncasecmp(text, "<!doctype html", 14) == 0 || strncasecmp(text, "<html", 5) == 0;
}

static int check_text(const tern_rows *rows, const char *text, size_t size, tern_error *e) {
  if (is_page(text)) return tern_fail(e, TERN_FAILED, "%s: is an HTML page, not data; fetch it again", rows->path);
  size_t valid = tern_utf8_span((const uint8_t *)text, size), line = 1;
  if (valid == size) return 0;
  for (size_t i = 0; i < valid; i++) line += text[i] == '\n';
  return tern_fail(e, TERN_FAILED, "%s: line %zu: invalid UTF-8 (byte 0x%02x)", rows->path, line,
                   (unsigned)(unsigned char)text[valid]);
}

int tern_rows_read(tern_rows **out, const char *path, tern_error *e) {
  size_t size = 0;
  int format = format_of(path), status = TERN_FAILED;
  *out = NULL;
  if (format < 0)
    return tern_fail(e, TERN_FAILED, "%s: unknown kind of dataset; .jsonl, .json, .csv and .tsv are read, also as .gz",
                     path);
  tern_rows *rows = calloc(1, sizeof *rows);
  char *bytes = tern_rows_bytes(path, file_limit, &size, e), *text = bytes;
  if (bytes == NULL) goto out;
  if (rows == NULL || (rows->path = strdup(path)) == NULL || (rows->list = json_array()) == NULL) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    goto out;
  }
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3, size -= 3;
  if ((status = check_text(rows, text, size, e)) != 0) goto out;
  if ((status = formats[format].read(rows, text, size, e)) != 0) goto out;
  if (tern_rows_count(rows) == 0) status = tern_fail(e, TERN_FAILED, "%s: has no rows", path);
out:
  free(bytes);
  if (status != 0) {
    tern_rows_close(rows);
    return status;
  }
  *out = rows;
  return 0;
}

void tern_rows_close(tern_rows *rows) {
  if (rows == NULL) return;
  json_decref(rows->list);
  free(rows->lines);
  free(rows->path);
  free(rows);
}

size_t tern_rows_count(const tern_rows *rows) {
  return json_array_size(rows->list);
}
json_t *tern_rows_at(const tern_rows *rows, size_t i) {
  return json_array_get(rows->list, i);
}
size_t tern_rows_line(const tern_rows *rows, size_t i) {
  return rows->lines[i];
}

int tern_rows_fail(const tern_rows *rows, size_t i, tern_error *e, const char *format, ...) {
  char text[sizeof e->text];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return tern_fail(e, TERN_FAILED, "%s: line %zu: %s", rows->path, rows->lines[i], text);
}
