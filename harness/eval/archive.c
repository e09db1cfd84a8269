/* Members in memory: datasets are small, and their size is bounded by the
 * manifest's. All names are looked at before anything is given back. */
#include "harness/eval/archive.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "engine/base/interrupt.h"
#include "harness/eval/catalog.h"

enum { BLOCK = 1 << 16, MOST_MEMBERS = 1000000 };

void tern_members_close(tern_members *m) {
  for (size_t i = 0; i < m->count; i++) {
    free(m->all[i].name);
    free(m->all[i].data);
  }
  free(m->all);
  *m = (tern_members){0};
}

/* Reads the current member; archives' own sizes are not believed. */
static int read_data(tern_member *m, struct archive *a, const char *path, size_t most, tern_error *e) {
  size_t room = 0;
  for (;;) {
    if (m->size + 1 >= room) {
      room = room < BLOCK ? BLOCK : 2 * room;
      if (room > 2 * most + 2 * BLOCK) return tern_fail(e, TERN_FAILED, "%s: %s: too large", path, m->name);
      char *data = realloc(m->data, room);
      if (data == NULL) return tern_fail(e, TERN_FAILED, "%s: %s: out of memory", path, m->name);
      m->data = data;
    }
    la_ssize_t n = archive_read_data(a, m->data + m->size, room - m->size - 1);
    if (n < 0) {
      const char *why = archive_error_string(a);
      return tern_fail(e, TERN_FAILED, "%s: %s: %s", path, m->name, why != NULL ? why : "damaged");
    }
    m->size += (size_t)n;
    m->data[m->size] = '\0';
    if (m->size > most)
      return tern_fail(e, TERN_FAILED, "%s: %s: unpacks to over %zu bytes, the limit", path, m->name, most);
    if (n == 0) return TERN_OK;
    if (tern_interrupt_check(e)) return TERN_INTERRUPTED;
  }
}

static int add(tern_members *out, const char *name, tern_error *e) {
  tern_member *all = realloc(out->all, (out->count + 1) * sizeof *all);
  if (all != NULL) out->all = all;
  char *copy = all != NULL ? strdup(name) : NULL;
  if (copy == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", name);
  out->all[out->count++] = (tern_member){.name = copy};
  return TERN_OK;
}

/* Folders end in a slash, some tars begin with "./". */
static bool is_hostile(const char *name) {
  char copy[4096];
  size_t n = name != NULL ? strlen(name) : 0;
  while (n > 2 && name[0] == '.' && name[1] == '/') name += 2, n -= 2;
  if (n == 0 || n >= sizeof copy) return true;
  memcpy(copy, name, n + 1);
  if (n > 1 && copy[n - 1] == '/') copy[n - 1] = '\0';
  return strcmp(copy, ".") != 0 && strcmp(copy, "./") != 0 && !tern_catalog_safe_name(copy);
}

static int read_members(tern_members *out, struct archive *a, const char *path, const char *pattern, size_t most,
                        tern_error *e) {
  struct archive_entry *member;
  size_t seen = 0, left = most;
  int got;
  while ((got = archive_read_next_header(a, &member)) == ARCHIVE_OK) {
    const char *name = archive_entry_pathname(member);
    if (tern_interrupt_check(e)) return TERN_INTERRUPTED;
    if (++seen > MOST_MEMBERS) return tern_fail(e, TERN_FAILED, "%s: over %d members", path, MOST_MEMBERS);
    if (pattern != NULL && is_hostile(name))
      return tern_fail(e, TERN_FAILED, "%s: a member's name points out of the archive ('%.80s'): not used", path,
                       name != NULL ? name : "");
    if (pattern != NULL && fnmatch(pattern, name, FNM_PATHNAME) != 0) continue;
    bool link = archive_entry_hardlink(member) != NULL || archive_entry_symlink(member) != NULL;
    if (link || (pattern != NULL && archive_entry_filetype(member) != AE_IFREG))
      return tern_fail(e, TERN_FAILED, "%s: %.80s is a link or no regular file: not used", path, name);
    int status = add(out, pattern != NULL ? name : "content", e);
    if (status == TERN_OK) status = read_data(&out->all[out->count - 1], a, path, left, e);
    if (status != TERN_OK) return status;
    left -= out->all[out->count - 1].size;
  }
  if (got != ARCHIVE_EOF) {
    const char *why = archive_error_string(a);
    return tern_fail(e, TERN_FAILED, "%s: %s", path, why != NULL ? why : "no archive");
  }
  if (out->count == 0)
    return tern_fail(e, TERN_FAILED, "%s: has no member '%s'", path, pattern != NULL ? pattern : "content");
  return TERN_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const tern_member *)a)->name, ((const tern_member *)b)->name);
}

int tern_archive_read(tern_members *out, const char *path, const char *pattern, size_t most, tern_error *e) {
  *out = (tern_members){0};
  struct archive *a = archive_read_new();
  if (a == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  archive_read_support_filter_all(a);
  if (pattern != NULL) {
    archive_read_support_format_tar(a);
    archive_read_support_format_zip(a);
  } else {
    archive_read_support_format_raw(a);
  }
  int status = TERN_OK;
  if (archive_read_open_filename(a, path, BLOCK) != ARCHIVE_OK) {
    const char *why = archive_error_string(a);
    status = tern_fail(e, TERN_FAILED, "%s: %s", path, why != NULL ? why : "cannot read");
  }
  if (status == TERN_OK) status = read_members(out, a, path, pattern, most, e);
  archive_read_free(a);
  if (status == TERN_OK) qsort(out->all, out->count, sizeof *out->all, by_name);
  if (status != TERN_OK) tern_members_close(out);
  return status;
}
