/* A template is a list of pieces, each plain text or a field with its steps.
 * Parsed once, so that a mistake shows before the first row is asked. */
#include "harness/eval/template.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/rows_parts.h"
#include "harness/eval/template_parts.h"

typedef struct piece {
  char *text; /* plain text, or the field's path */
  bool field;
  tern_template_step *steps;
  int step_count;
} piece;

struct tern_template {
  char *where;
  piece *pieces;
  size_t count;
};

/* Text that grows. */
typedef struct builder {
  char *text;
  size_t size, room;
} builder;

static bool add(builder *b, const char *text, size_t size) {
  if (size >= SIZE_MAX / 2 - b->size) return false;
  if (b->room - b->size <= size) {
    size_t room = 2 * (b->size + size) + 64;
    char *more = realloc(b->text, room);
    if (more == NULL) return false;
    b->text = more;
    b->room = room;
  }
  memcpy(b->text + b->size, text, size);
  b->size += size;
  b->text[b->size] = '\0';
  return true;
}

static int no_memory(const char *where, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
}

static piece *new_piece(tern_template *t, bool field, tern_error *e) {
  piece *more = realloc(t->pieces, (t->count + 1) * sizeof *more);
  if (more == NULL) {
    no_memory(t->where, e);
    return NULL;
  }
  t->pieces = more;
  more += t->count++;
  *more = (piece){.field = field};
  return more;
}

/* One part of a field up to an unescaped sign of `ends` (free()); *at stops on it. */
static char *read_part(const char **at, const char *ends, const char *where, tern_error *e) {
  static const char escaped[][2] = {{'n', '\n'}, {'t', '\t'}, {'\\', '\\'}, {':', ':'}, {'|', '|'}, {'}', '}'}};
  builder b = {0};
  bool whole = add(&b, "", 0);
  for (; whole && **at != '\0' && strchr(ends, **at) == NULL; (*at)++) {
    char c = **at;
    for (size_t i = 0; c == '\\' && i < sizeof escaped / sizeof *escaped; i++) {
      if ((*at)[1] != escaped[i][0]) continue;
      c = escaped[i][1];
      (*at)++;
      break;
    }
    whole = add(&b, &c, 1);
  }
  if (whole) return b.text;
  free(b.text);
  no_memory(where, e);
  return NULL;
}

static int read_arguments(tern_template_step *s, const char **at, tern_error *e) {
  const tern_template_function *f = s->function;
  for (int i = 0; i < f->arguments; i++) {
    if (**at != ':')
      return tern_fail(e, TERN_FAILED, "%s: %s takes %d argument%s, each behind a \":\"", s->where, f->name,
                       f->arguments, f->arguments == 1 ? "" : "s");
    (*at)++;
    /* the last one may hold ":" */
    if ((s->arguments[i] = read_part(at, i + 1 == f->arguments ? "|}" : ":|}", s->where, e)) == NULL)
      return (int)e->status;
  }
  if (**at == ':') return tern_fail(e, TERN_FAILED, "%s: %s takes no arguments", s->where, f->name);
  if (f->regular) return tern_regex_open(&s->regex, s->arguments[0], s->where, e);
  if (f->arguments > 0 && f->text != NULL && s->arguments[0][0] == '\0')
    return tern_fail(e, TERN_FAILED, "%s: %s: an empty text is found everywhere; give one", s->where, f->name);
  return 0;
}

static int read_step(const tern_template *t, piece *p, const char **at, tern_error *e) {
  tern_template_step *more = realloc(p->steps, (size_t)(p->step_count + 1) * sizeof *more);
  if (more == NULL) return no_memory(t->where, e);
  p->steps = more;
  more += p->step_count++;
  *more = (tern_template_step){.where = t->where};
  char *name = read_part(at, ":|}", t->where, e);
  if (name == NULL) return (int)e->status;
  more->function = tern_template_function_find(name);
  if (more->function == NULL) {
    char known[200];
    tern_template_functions_list(known, sizeof known);
    tern_fail(e, TERN_FAILED, "%s: unknown function \"%s\"; there are %s", t->where, name, known);
  }
  free(name);
  return more->function == NULL ? TERN_FAILED : read_arguments(more, at, e);
}

/* From behind "{" to behind "}". */
static int read_field(tern_template *t, const char **at, tern_error *e) {
  const char *start = *at;
  piece *p = new_piece(t, true, e);
  if (p == NULL || (p->text = read_part(at, "|}", t->where, e)) == NULL) return (int)e->status;
  if (p->text[0] == '\0')
    return tern_fail(e, TERN_FAILED, "%s: {} names no field; a brace itself is written {{ or }}", t->where);
  while (**at == '|') {
    (*at)++;
    if (read_step(t, p, at, e) != 0) return (int)e->status;
    if (p->step_count > 1 && p->steps[p->step_count - 1].function->list != NULL)
      return tern_fail(e, TERN_FAILED, "%s: %s takes a list and must come first", t->where,
                       p->steps[p->step_count - 1].function->name);
  }
  if (**at != '}')
    return tern_fail(e, TERN_FAILED, "%s: \"{%.40s\" has no closing brace; a brace itself is written {{ or }}",
                     t->where, start);
  (*at)++;
  return 0;
}

static int read_text(tern_template *t, const char **at, tern_error *e) {
  builder b = {0};
  piece *p = new_piece(t, false, e);
  if (p == NULL) return (int)e->status;
  while (**at != '\0') {
    if (**at == '{' && (*at)[1] != '{') break;
    if (**at == '}' && (*at)[1] != '}') {
      free(b.text);
      return tern_fail(e, TERN_FAILED, "%s: a \"}\" without \"{\"; a brace itself is written }}", t->where);
    }
    if (!add(&b, *at, 1)) {
      free(b.text);
      return no_memory(t->where, e);
    }
    *at += **at == '{' || **at == '}' ? 2 : 1;
  }
  p->text = b.text;
  return 0;
}

int tern_template_open(tern_template **out, const char *text, const char *where, tern_error *e) {
  *out = NULL;
  tern_template *t = calloc(1, sizeof *t);
  int status = 0;
  if (t == NULL || (t->where = strdup(where)) == NULL) status = no_memory(where, e);
  while (status == 0 && *text != '\0') {
    if (text[0] == '{' && text[1] != '{') {
      text++;
      status = read_field(t, &text, e);
    } else {
      status = read_text(t, &text, e);
    }
  }
  if (status != 0) {
    tern_template_close(t);
    return status;
  }
  *out = t;
  return 0;
}

void tern_template_close(tern_template *t) {
  if (t == NULL) return;
  for (size_t i = 0; i < t->count; i++) {
    for (int s = 0; s < t->pieces[i].step_count; s++) {
      for (int a = 0; a < TERN_STEP_ARGUMENTS; a++) free(t->pieces[i].steps[s].arguments[a]);
      tern_regex_close(t->pieces[i].steps[s].regex);
    }
    free(t->pieces[i].steps);
    free(t->pieces[i].text);
  }
  free(t->pieces);
  free(t->where);
  free(t);
}

json_t *tern_template_value(const tern_rows *rows, size_t row, const json_t *more, const char *path, tern_error *e) {
  size_t first = strcspn(path, ".");
  json_t *at = more ? json_object_getn(more, path, first) : NULL;
  if (at == NULL) return tern_rows_field(rows, row, path, e);
  for (const char *name = path + first; *name != '\0';) {
    size_t size = strcspn(++name, ".");
    at = tern_rows_step(at, name, size);
    if (at == NULL) {
      tern_rows_fail(rows, row, e, "no \"%.*s\" in %s", (int)size, name, path);
      return NULL;
    }
    name += size;
  }
  return at;
}

static int fill_field(const piece *p, const json_t *value, char **out, tern_error *e) {
  int s = 0;
  char *text;
  if (p->step_count > 0 && p->steps[0].function->list != NULL) {
    if (!json_is_array(value))
      return tern_fail(e, TERN_FAILED, "{%s} is no list, which %s needs", p->text, p->steps[0].function->name);
    text = p->steps[0].function->list(&p->steps[0], value, e);
    s = 1;
  } else {
    text = tern_template_text(value, p->text, e);
  }
  for (; text != NULL && s < p->step_count; s++) {
    char *then = p->steps[s].function->text(&p->steps[s], text, e);
    free(text);
    text = then;
  }
  *out = text;
  return text == NULL ? TERN_FAILED : 0;
}

/* An error of a row's value, with the template's place behind it; the row before
 * it where it is not said yet. */
static int fail_row(const tern_template *t, const tern_rows *rows, size_t row, bool said, tern_error *e) {
  char why[sizeof e->text];
  snprintf(why, sizeof why, "%s", e->text);
  if (said) return tern_fail(e, TERN_FAILED, "%s (%s)", why, t->where);
  return tern_rows_fail(rows, row, e, "%s (%s)", why, t->where);
}

int tern_template_fill(const tern_template *t, const tern_rows *rows, size_t row, const json_t *more, char **out,
                       tern_error *e) {
  builder b = {0};
  bool whole = add(&b, "", 0);
  *out = NULL;
  for (size_t i = 0; whole && i < t->count; i++) {
    const piece *p = &t->pieces[i];
    char *text = NULL;
    if (p->field) {
      const json_t *value = tern_template_value(rows, row, more, p->text, e);
      if (value == NULL || fill_field(p, value, &text, e) != 0) {
        fail_row(t, rows, row, value == NULL, e);
        free(b.text);
        return (int)e->status;
      }
    }
    const char *piece_text = text ? text : p->text;
    whole = add(&b, piece_text, strlen(piece_text));
    free(text);
  }
  if (!whole) {
    free(b.text);
    return no_memory(t->where, e);
  }
  *out = b.text;
  return 0;
}
