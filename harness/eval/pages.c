/* Articles of a WikiText file, and lm-eval's edits of their text in its order. */
#include "harness/eval/pages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/text/utf8.h"
#include "harness/eval/python_text.h"
#include "harness/eval/rows_parts.h"

static const size_t file_limit = (size_t)1 << 30;

static int no_memory(const char *what, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "%s: out of memory", what);
}

/* Every occurrence, in place: `new` is never longer than `old`. */
static void shorten(char *text, const char *old, const char *new) {
  size_t from = strlen(old), to = strlen(new);
  char *put = text;
  for (const char *found; (found = strstr(text, old)) != NULL; text += from) {
    size_t kept = (size_t)(found - text);
    memmove(put, text, kept);
    memcpy(put + kept, new, to);
    put += kept + to;
    text += kept;
  }
  memmove(put, text, strlen(text) + 1);
}

/* Between each `open` and the next `close`: white space at both ends goes. */
static void trim_inside(char *text, char open, char close) {
  for (char *at = strchr(text, open), *end; at != NULL; at = strchr(end + 1, open)) {
    if ((end = strchr(at + 1, close)) == NULL) return;
    *end = '\0';
    tern_python_strip(at + 1);
    size_t size = strlen(at + 1);
    char *now = at + 1 + size;
    *now = close;
    if (now < end) memmove(now + 1, end + 1, strlen(end + 1) + 1);
    end = now;
  }
}

typedef struct edit {
  const char *old, *new;
} edit;

/* A digit between "/' " and "/": the pattern as it stands there, and what it
 * gives there, its replacement being plain text. */
static char *mend_feet(const char *text) {
  static const char new[] = "/'[0-9]/";
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, "/' ")) != NULL; at++) count++;
  char *out = malloc(strlen(text) + count * (sizeof new - 1) + 1), *put = out;
  if (out == NULL) return NULL;
  while (*text != '\0') {
    bool hit = strncmp(text, "/' ", 3) == 0 && text[3] >= '0' && text[3] <= '9' && text[4] == '/';
    if (hit) {
      put = mempcpy(put, new, sizeof new - 1);
      text += 5;
    } else {
      *put++ = *text++;
    }
  }
  *put = '\0';
  return out;
}

char *tern_wikitext_detokenize(const char *page, tern_error *e) {
  static const edit marks[] = {{" @-@ ", "-"}, {" @,@ ", ","}, {" @.@ ", "."}, {" : ", ": "}, {" ; ", "; "},
                               {" . ", ". "},  {" ! ", "! "},  {" ? ", "? "},  {" , ", ", "}};
  static const char pairs[][2] = {{'(', ')'}, {'[', ']'}, {'{', '}'}, {'"', '"'}, {'\'', '\''}};
  static const edit rest[] = {{"= = = =", "===="}, {"= = =", "==="}, {"= =", "=="},  {" \xc2\xb0 ", "\xc2\xb0"},
                              {" \n", "\n"},       {"\n ", "\n"},    {" N ", " 1 "}, {" 's", "'s"}};
  char *text = strdup(page), *out = NULL;
  if (text != NULL) {
    shorten(text, "s '", "s'");
    out = mend_feet(text);
  }
  free(text);
  if (out == NULL) {
    no_memory("WikiText", e);
    return NULL;
  }
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) shorten(out, marks[i].old, marks[i].new);
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) trim_inside(out, pairs[i][0], pairs[i][1]);
  for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) shorten(out, rest[i].old, rest[i].new);
  return out;
}

size_t tern_wikitext_words(const char *text) {
  return tern_python_space_runs(text) + 1;
}

/* A heading of the first level; the line is edited. */
static bool begins_page(char *line) {
  shorten(line, "= = =", "===");
  shorten(line, "= =", "==");
  tern_python_strip(line);
  size_t size = strlen(line);
  return size >= 2 && memcmp(line, "= ", 2) == 0 && memcmp(line + size - 2, " =", 2) == 0;
}

static bool is_blank(const char *text) {
  char *copy = strdup(text);
  bool blank = copy != NULL && *tern_python_strip(copy) == '\0';
  free(copy);
  return blank;
}

static int add_page(tern_rows *rows, const char *text, size_t line, bool last, tern_error *e) {
  if (!last && is_blank(text)) return 0;
  json_t *row = json_pack("{s:s}", "page", text);
  return row == NULL ? no_memory(rows->path, e) : tern_rows_add(rows, row, line, e);
}

/* The lines between two headings are a page, without the line-end before the next. */
static int cut(tern_rows *rows, char *text, tern_error *e) {
  char *page = text;
  size_t line = 1, first = 1;
  int status = 0;
  for (char *at = text, *end; status == 0; at = end + 1, line++) {
    end = strchr(at, '\n');
    char *copy = end ? strndup(at, (size_t)(end - at)) : strdup(at);
    if (copy == NULL) return no_memory(rows->path, e);
    bool begins = begins_page(copy);
    free(copy);
    if (begins && at > page) {
      at[-1] = '\0';
      status = add_page(rows, page, first, false, e);
      page = at;
    }
    if (begins) first = line;
    if (end == NULL) break;
  }
  return status == 0 ? add_page(rows, page, first, true, e) : status;
}

int tern_pages_read(tern_rows **out, const char *path, tern_error *e) {
  size_t size = 0;
  int status = TERN_FAILED;
  *out = NULL;
  tern_rows *rows = calloc(1, sizeof *rows);
  char *text = tern_rows_bytes(path, file_limit, &size, e);
  if (text == NULL) goto out;
  if (rows == NULL || (rows->path = strdup(path)) == NULL || (rows->list = json_array()) == NULL) {
    status = no_memory(path, e);
    goto out;
  }
  if (tern_utf8_span((const uint8_t *)text, size) != size || strlen(text) != size) {
    status = tern_fail(e, TERN_FAILED, "%s: is no text: invalid UTF-8 or a NUL character", path);
    goto out;
  }
  status = cut(rows, text, e);
out:
  free(text);
  if (status != 0) {
    tern_rows_close(rows);
    return status;
  }
  *out = rows;
  return 0;
}
