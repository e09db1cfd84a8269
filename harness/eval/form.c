/* The table of forms, and files in place whole or not at all. */
#include "harness/eval/form.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "harness/eval/archive.h"
#include "harness/eval/digest.h"
#include "harness/eval/form_parts.h"

enum { CHUNK = 1 << 18, MOST_KEYS = 4 };

/* One member of an archive, or what a compressed stream holds. */
static int unpack(const json_t *form, const char *download, tern_sink *to, tern_error *e) {
  tern_members m;
  int status = tern_archive_read(&m, download, tern_form_text(form, "member"), TERN_FORM_MOST, e);
  if (status != TERN_OK) return status;
  if (m.count > 1) status = tern_fail(e, TERN_FAILED, "%s: %zu members match, want one", download, m.count);
  if (status == TERN_OK) status = tern_sink_write(to, m.all[0].data, m.all[0].size, e);
  tern_members_close(&m);
  return status;
}

typedef struct kind {
  const char *name;
  tern_form_make make;
  const char *texts[MOST_KEYS]; /* keys with text; those before NULL that begin with '+' must be there */
  bool row;
} kind;

static const kind kinds[] = {
    {"unpack", unpack, {"member"}, false},
    {"rows", tern_form_rows, {"distinct"}, true},
    {"csv", tern_form_csv, {"+member"}, true},
    {"python-list", tern_form_python_list, {"+after", "member"}, false},
    {"yaml-items", tern_form_yaml_items, {"+after", "member"}, false},
    {"yaml-text", tern_form_yaml_text, {"+after", "+before", "member"}, false},
};

const char *tern_form_text(const json_t *form, const char *key) {
  return json_string_value(json_object_get(form, key));
}

static const kind *find(const json_t *form) {
  const char *name = tern_form_text(form, "kind");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (name != NULL && strcmp(kinds[i].name, name) == 0) return &kinds[i];
  return NULL;
}

static bool is_text_of(const kind *k, const char *name) {
  for (int i = 0; i < MOST_KEYS && k->texts[i] != NULL; i++)
    if (strcmp(k->texts[i] + (k->texts[i][0] == '+'), name) == 0) return true;
  return strcmp(name, "kind") == 0;
}

int tern_form_check(const json_t *form, const char *where, tern_error *e) {
  const kind *k = find(form);
  const char *name;
  json_t *v;
  if (k == NULL) return tern_fail(e, TERN_FAILED, "%s: 'form' is of no kind known here", where);
  json_object_foreach((json_t *)form, name, v) {
    bool rules = k->row && (strcmp(name, "row") == 0 || strcmp(name, "value") == 0);
    if (!rules && !is_text_of(k, name))
      return tern_fail(e, TERN_FAILED, "%s: form has unknown key '%.40s'", where, name);
    if (!rules && !json_is_string(v))
      return tern_fail(e, TERN_FAILED, "%s: form: key '%.40s' has a wrong value", where, name);
  }
  for (int i = 0; i < MOST_KEYS && k->texts[i] != NULL; i++)
    if (k->texts[i][0] == '+' && tern_form_text(form, k->texts[i] + 1) == NULL)
      return tern_fail(e, TERN_FAILED, "%s: form: key '%s' is missing", where, k->texts[i] + 1);
  return k->row ? tern_form_check_row(form, where, e) : TERN_OK;
}

int tern_sink_write(tern_sink *to, const void *bytes, size_t n, tern_error *e) {
  if ((long long)n > to->left) return tern_fail(e, TERN_FAILED, "%s: over its limit of bytes", to->name);
  to->left -= (long long)n;
  for (const char *b = bytes; n > 0;) {
    size_t some = n < CHUNK ? n : CHUNK;
    if (to->gzip != NULL ? gzwrite(to->gzip, b, (unsigned)some) <= 0 : fwrite(b, 1, some, to->plain) != some)
      return tern_fail_errno(e, "%s: cannot write", to->name);
    b += some;
    n -= some;
  }
  return TERN_OK;
}

int tern_sink_row(tern_sink *to, const json_t *row, tern_error *e) {
  char *line = json_dumps(row, JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
  if (line == NULL) return tern_fail(e, TERN_FAILED, "%s: a row that JSON can't hold", to->name);
  int status = tern_sink_write(to, line, strlen(line), e);
  if (status == TERN_OK) status = tern_sink_write(to, "\n", 1, e);
  free(line);
  return status;
}

static int copy(const char *download, tern_sink *to, tern_error *e) {
  char buffer[CHUNK];
  FILE *f = fopen(download, "rb");
  int status = TERN_OK;
  if (f == NULL) return tern_fail_errno(e, "%s: cannot open", download);
  for (size_t n; status == TERN_OK && (n = fread(buffer, 1, sizeof buffer, f)) > 0;) {
    status = tern_sink_write(to, buffer, n, e);
    if (status == TERN_OK) status = tern_interrupt_check(e);
  }
  if (status == TERN_OK && ferror(f)) status = tern_fail_errno(e, "%s: cannot read", download);
  fclose(f);
  return status;
}

/* zlib writes no time and no name into the head, so that packing again gives
 * the same file. */
static int open_gzip(tern_sink *to, tern_output *o, tern_error *e) {
  int fd = dup(tern_output_fd(o));
  to->gzip = fd >= 0 ? gzdopen(fd, "wb9") : NULL;
  if (to->gzip != NULL) return TERN_OK;
  if (fd >= 0) close(fd);
  return tern_fail(e, TERN_FAILED, "%s: out of memory", to->name);
}

int tern_form_apply(const json_t *form, const char *download, const char *target, long long most, tern_error *e) {
  tern_output *o = NULL;
  tern_sink to = {.name = target, .left = most};
  const kind *k = find(form);
  int status = tern_output_open(&o, target, e);
  if (status != TERN_OK) return status;
  to.plain = tern_output_stream(o);
  if (k != NULL && tern_digest_is_gzip(target)) status = open_gzip(&to, o, e);
  if (status == TERN_OK) status = k != NULL ? k->make(form, download, &to, e) : copy(download, &to, e);
  if (to.gzip != NULL && gzclose(to.gzip) != Z_OK && status == TERN_OK)
    status = tern_fail_errno(e, "%s: cannot write", target);
  if (status != TERN_OK) {
    tern_output_abandon(o);
    return status;
  }
  return tern_output_commit(o, e);
}
