/* Lines are written by one write() each. A line that could not be written whole
 * is cut off again, so that only a kill can leave half a line, at the end. */
#include "harness/eval/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/progress.h"

static const char version_key[] = "ternmark_journal";
enum { VERSION = 1 };
static const double SYNC_S = 1;
static const size_t MOST = (size_t)1 << 34;

struct tern_journal {
  char *path;
  int fd; /* -1: read only */
  json_t *head, *tasks;
  off_t size;
  double synced;
  bool unsynced;
};

static int out_of_memory(const char *path, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
}

static const json_t *find(const json_t *tasks, const char *task, size_t id) {
  char key[24];
  snprintf(key, sizeof key, "%zu", id);
  return json_object_get(json_object_get(tasks, task), key);
}

/* Takes over item. A second line of an item must say the same. */
static int keep(tern_journal *j, const char *task, size_t id, json_t *item, tern_error *e) {
  char key[24];
  snprintf(key, sizeof key, "%zu", id);
  const json_t *there = find(j->tasks, task, id);
  if (there != NULL) {
    bool same = json_equal(there, item);
    json_decref(item);
    return same ? 0
                : tern_fail(e, TERN_FAILED, "%s: task %s: item %zu is there twice, with different answers", j->path,
                            task, id);
  }
  json_t *items = json_object_get(j->tasks, task);
  if (items == NULL && (items = json_object()) != NULL && json_object_set_new(j->tasks, task, items) != 0) items = NULL;
  if (items == NULL || json_object_set_new(items, key, item) != 0) return out_of_memory(j->path, e);
  return 0;
}

static int take_line(tern_journal *j, const char *line, size_t size, size_t number, tern_error *e) {
  json_error_t wrong;
  const char *task;
  json_int_t id;
  json_t *item = json_loadb(line, size, JSON_REJECT_DUPLICATES, &wrong);
  if (item == NULL) {
    return tern_fail(e, TERN_FAILED, "%s: line %zu: %s; remove the line to have the item asked again", j->path, number,
                     wrong.text);
  }
  if (json_unpack(item, "{s:s, s:I}", "task", &task, "id", &id) != 0 || id < 0) {
    json_decref(item);
    return tern_fail(e, TERN_FAILED, "%s: line %zu: no item of an eval journal (\"task\" and \"id\" were expected)",
                     j->path, number);
  }
  char *name = strdup(task);
  if (name == NULL) {
    json_decref(item);
    return out_of_memory(j->path, e);
  }
  json_object_del(item, "task");
  json_object_del(item, "id");
  int status = keep(j, name, (size_t)id, item, e);
  free(name);
  return status;
}

static int take_head(tern_journal *j, const char *line, size_t size, tern_error *e) {
  json_error_t wrong;
  json_t *head = json_loadb(line, size, JSON_REJECT_DUPLICATES, &wrong);
  if (json_integer_value(json_object_get(head, version_key)) != VERSION) {
    json_decref(head);
    return tern_fail(e, TERN_FAILED, "%s: no eval journal that this version reads (its first line says \"%s\": %d)",
                     j->path, version_key, VERSION);
  }
  j->head = head;
  return 0;
}

/* Whole lines; *kept: bytes of them. */
static int take_lines(tern_journal *j, const char *text, size_t size, size_t *kept, tern_error *e) {
  const char *end;
  *kept = 0;
  for (size_t number = 1; (end = memchr(text + *kept, '\n', size - *kept)) != NULL; number++) {
    const char *line = text + *kept;
    size_t length = (size_t)(end - line);
    int status = number == 1 ? take_head(j, line, length, e) : take_line(j, line, length, number, e);
    if (status != 0) return status;
    *kept += length + 1;
  }
  return 0;
}

static int new_journal(tern_journal **out, const char *path, tern_error *e) {
  tern_journal *j = calloc(1, sizeof *j);
  *out = j;
  if (j == NULL) return out_of_memory(path, e);
  j->fd = -1;
  j->path = strdup(path);
  j->tasks = json_object();
  return j->path != NULL && j->tasks != NULL ? 0 : out_of_memory(path, e);
}

int tern_journal_read(tern_journal **out, const char *path, tern_error *e) {
  size_t size, kept;
  char *text = NULL;
  int status = new_journal(out, path, e);
  if (status == 0 && (text = tern_file_read(path, MOST, &size, e)) == NULL) status = (int)e->status;
  if (status == 0) status = take_lines(*out, text, size, &kept, e);
  if (status == 0 && (*out)->head == NULL)
    status = tern_fail(e, TERN_FAILED, "%s: no eval journal: it has no whole line", path);
  free(text);
  if (status != 0) {
    tern_error ignored;
    tern_journal_close(*out, &ignored);
    *out = NULL;
  }
  return status;
}

/* Names the first thing in which another run's head differs. */
static int refuse(const tern_journal *j, const json_t *head, tern_error *e) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)head, key, value) {
    const json_t *there = json_object_get(j->head, key);
    if (there != NULL && json_equal(there, value)) continue;
    char *was = there ? json_dumps(there, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *is = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    tern_fail(e, TERN_FAILED, "%s: of another run: %s was %.120s, is %.120s; name another folder, or remove this one",
              j->path, key, was ? was : "not there", is ? is : "");
    free(was);
    free(is);
    return (int)e->status;
  }
  json_object_foreach(j->head, key, value) {
    if (json_object_get(head, key) == NULL)
      return tern_fail(e, TERN_FAILED, "%s: of another run: it has %s; name another folder, or remove this one",
                       j->path, key);
  }
  return 0;
}

/* All bytes behind the last whole line, or none and an error. */
static int append(tern_journal *j, const char *line, size_t size, tern_error *e) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = pwrite(j->fd, line + done, size - done, j->size + (off_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      int why = n < 0 ? errno : ENOSPC;
      bool cut = ftruncate(j->fd, j->size) == 0;
      return tern_fail(e, TERN_FAILED, "%s: %s; %zu items are kept%s: make room, then the same command goes on",
                       j->path, strerror(why), tern_journal_count(j, NULL), cut ? "" : " and half a line");
    }
    done += (size_t)n;
  }
  j->size += (off_t)size;
  j->unsynced = true;
  return 0;
}

static int sync_now(tern_journal *j, tern_error *e) {
  if (j->unsynced && fdatasync(j->fd) != 0) return tern_fail_errno(e, "%s: cannot be made durable", j->path);
  j->unsynced = false;
  j->synced = tern_now();
  return 0;
}

/* object as a line (free()); first: keys before object's own. */
static char *line_of(const json_t *first, const json_t *object, size_t *size) {
  json_t *whole = json_copy((json_t *)first);
  char *text = NULL;
  if (whole != NULL && json_object_update(whole, (json_t *)object) == 0) text = json_dumps(whole, JSON_COMPACT);
  json_decref(whole);
  if (text != NULL) {
    *size = strlen(text);
    text[(*size)++] = '\n'; /* in place of the end, which nobody reads */
  }
  return text;
}

/* A file without a whole line is one whose first write was cut, or someone else's. */
static int begin(tern_journal *j, const char *text, size_t size, const json_t *head, tern_error *e) {
  json_t *first = json_pack("{s:i}", version_key, VERSION);
  size_t length = 0;
  char *line = first != NULL ? line_of(first, head, &length) : NULL;
  int status = 0;
  if (line == NULL) {
    status = out_of_memory(j->path, e);
  } else if (size > length || memcmp(text, line, size) != 0) {
    status = tern_fail(e, TERN_FAILED, "%s: is there and is no eval journal; name another folder", j->path);
  } else {
    json_object_update(first, (json_t *)head);
    j->head = json_incref(first);
    status = append(j, line, length, e);
    if (status == 0) status = sync_now(j, e);
  }
  json_decref(first);
  free(line);
  return status;
}

static int resume(tern_journal *j, const json_t *head, tern_error *e) {
  size_t size = 0, kept = 0;
  char *text = NULL;
  int status = 0;
  off_t end = lseek(j->fd, 0, SEEK_END);
  if (end < 0) return tern_fail_errno(e, "%s: cannot read", j->path);
  if (end > 0 && (text = tern_file_read(j->path, MOST, &size, e)) == NULL) status = (int)e->status;
  if (status == 0 && size > 0) status = take_lines(j, text, size, &kept, e);
  if (status == 0 && kept == 0) status = begin(j, text ? text : "", size, head, e);
  if (status == 0 && kept > 0) {
    json_t *want = json_copy((json_t *)head);
    if (want == NULL || json_object_set_new(want, version_key, json_integer(VERSION)) != 0)
      status = out_of_memory(j->path, e);
    else
      status = refuse(j, want, e);
    json_decref(want);
    j->size = (off_t)kept;
    if (status == 0 && kept < size && ftruncate(j->fd, j->size) != 0)
      status = tern_fail_errno(e, "%s: cannot drop its cut last line", j->path);
  }
  free(text);
  return status;
}

int tern_journal_open(tern_journal **out, const char *path, const json_t *head, tern_error *e) {
  int status = new_journal(out, path, e);
  tern_journal *j = *out;
  if (status == 0 && (j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666)) < 0)
    status = tern_fail_errno(e, "%s: cannot write", path);
  if (status == 0 && flock(j->fd, LOCK_EX | LOCK_NB) != 0)
    status = errno == EWOULDBLOCK
                 ? tern_fail(e, TERN_FAILED, "%s: another run is writing it; name another folder", path)
                 : tern_fail_errno(e, "%s: cannot lock", path);
  if (status == 0) status = resume(j, head, e);
  if (status != 0) {
    tern_error ignored;
    tern_journal_close(j, &ignored);
    *out = NULL;
  }
  return status;
}

int tern_journal_close(tern_journal *j, tern_error *e) {
  if (j == NULL) return 0;
  int status = j->fd >= 0 ? sync_now(j, e) : 0;
  if (j->fd >= 0 && close(j->fd) != 0 && status == 0) status = tern_fail_errno(e, "%s: cannot write", j->path);
  json_decref(j->head);
  json_decref(j->tasks);
  free(j->path);
  free(j);
  return status;
}

int tern_journal_add(tern_journal *j, const char *task, size_t id, const json_t *item, tern_error *e) {
  size_t size = 0;
  if (find(j->tasks, task, id) != NULL)
    return tern_fail(e, TERN_FAILED, "%s: task %s: item %zu is there already", j->path, task, id);
  json_t *first = json_pack("{s:s, s:I}", "task", task, "id", (json_int_t)id);
  char *line = first != NULL ? line_of(first, item, &size) : NULL;
  json_t *copy = json_copy((json_t *)item);
  int status = line != NULL && copy != NULL ? append(j, line, size, e) : out_of_memory(j->path, e);
  if (status == 0) {
    status = keep(j, task, id, copy, e);
    copy = NULL;
  }
  if (status == 0 && tern_now() - j->synced >= SYNC_S) status = sync_now(j, e);
  json_decref(copy);
  json_decref(first);
  free(line);
  return status;
}

const json_t *tern_journal_head(const tern_journal *j) {
  return j->head;
}

const json_t *tern_journal_item(const tern_journal *j, const char *task, size_t id) {
  return find(j->tasks, task, id);
}

size_t tern_journal_count(const tern_journal *j, const char *task) {
  if (task != NULL) return json_object_size(json_object_get(j->tasks, task));
  size_t count = 0;
  const char *name;
  json_t *items;
  json_object_foreach(j->tasks, name, items) count += json_object_size(items);
  return count;
}
