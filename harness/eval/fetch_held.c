/* {"ternmark_held": 1, "files": {FILE: {sha256, size, bytes, mtime_ns, address}}}.
 * Changed under a lock, replaced whole. */
#include "harness/eval/fetch_held.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"

enum { VERSION = 1 };

static int place(char path[PATH_MAX], const char *root, const char *name, tern_error *e) {
  int n = snprintf(path, PATH_MAX, "%s/%s", root, name);
  return n > 0 && n < PATH_MAX ? TERN_OK : tern_fail(e, TERN_FAILED, "%.80s: name too long", root);
}

/* An absent record is an empty one; a broken one is an error, else what was held
 * would be forgotten. */
static int read_record(json_t **out, const char *path, tern_error *e) {
  json_error_t why;
  *out = NULL;
  bool there = access(path, F_OK) == 0;
  if (!there && errno != ENOENT) return tern_fail_errno(e, "%s", path);
  if (!there) {
    *out = json_pack("{s:i, s:{}}", "ternmark_held", VERSION, "files");
    return *out != NULL ? TERN_OK : tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  }
  json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
  if (root != NULL && json_integer_value(json_object_get(root, "ternmark_held")) == VERSION &&
      json_is_object(json_object_get(root, "files"))) {
    *out = root;
    return TERN_OK;
  }
  json_decref(root);
  return tern_fail(e, TERN_FAILED,
                   "%s: no record of version %d: repair it, or remove it (files without a known SHA-256 are then "
                   "held anew)",
                   path, VERSION);
}

static long long number(const json_t *o, const char *key) {
  return (long long)json_integer_value(json_object_get(o, key));
}

int tern_held_get(tern_held *out, const char *root, const char *file, tern_error *e) {
  char path[PATH_MAX];
  json_t *record = NULL;
  *out = (tern_held){0};
  int status = place(path, root, "held.json", e);
  if (status == TERN_OK) status = read_record(&record, path, e);
  const json_t *o = json_object_get(json_object_get(record, "files"), file);
  const char *sha256 = json_string_value(json_object_get(o, "sha256"));
  if (sha256 != NULL && strlen(sha256) + 1 == sizeof out->sha256) {
    *out = (tern_held){.size = number(o, "size"), .bytes = number(o, "bytes"), .mtime_ns = number(o, "mtime_ns")};
    memcpy(out->sha256, sha256, sizeof out->sha256);
  }
  json_decref(record);
  return status;
}

bool tern_held_look(tern_held *out, const char *root, const char *file) {
  char path[PATH_MAX];
  tern_error ignored = {0};
  struct stat st;
  if (place(path, root, file, &ignored) != TERN_OK || stat(path, &st) != 0) return false;
  out->bytes = (long long)st.st_size;
  out->mtime_ns = (long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
  return true;
}

static int replace(const char *path, const json_t *record, tern_error *e) {
  tern_output *o;
  if (tern_output_open(&o, path, e) != TERN_OK) return TERN_FAILED;
  if (json_dumpf(record, tern_output_stream(o), JSON_INDENT(2) | JSON_SORT_KEYS) != 0) {
    tern_fail_errno(e, "%s: cannot write", path);
    tern_output_abandon(o);
    return TERN_FAILED;
  }
  fputc('\n', tern_output_stream(o));
  return tern_output_commit(o, e);
}

int tern_held_put(const char *root, const char *file, const tern_digest *d, const char *address, tern_error *e) {
  char path[PATH_MAX];
  json_t *record = NULL;
  tern_held now = {0};
  if (!tern_held_look(&now, root, file)) return tern_fail_errno(e, "%s/%s", root, file);
  int lock = tern_held_lock(root, "held", e), status = lock < 0 ? TERN_FAILED : place(path, root, "held.json", e);
  if (status == TERN_OK) status = read_record(&record, path, e);
  if (status == TERN_OK) {
    json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:s*}", "sha256", d->sha256, "size", (json_int_t)d->size, "bytes",
                          (json_int_t)now.bytes, "mtime_ns", (json_int_t)now.mtime_ns, "address", address);
    if (o == NULL || json_object_set_new(json_object_get(record, "files"), file, o) != 0)
      status = tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  }
  if (status == TERN_OK) status = replace(path, record, e);
  json_decref(record);
  if (lock >= 0) close(lock);
  return status;
}

int tern_held_lock(const char *root, const char *name, tern_error *e) {
  char path[PATH_MAX];
  const struct timespec slice = {.tv_nsec = 50000000};
  int n = snprintf(path, sizeof path, "%s/.fetch", root);
  if (n < 0 || n >= (int)sizeof path || tern_directory_make(path, e) != TERN_OK) return -1;
  n = snprintf(path, sizeof path, "%s/.fetch/%s.lock", root, name);
  int fd = n > 0 && n < (int)sizeof path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
  if (fd < 0) {
    tern_fail_errno(e, "%s: cannot write", path);
    return -1;
  }
  for (bool told = false; flock(fd, LOCK_EX | LOCK_NB) != 0; nanosleep(&slice, NULL)) {
    bool taken = errno == EWOULDBLOCK || errno == EINTR;
    if (!told && taken && strcmp(name, "held") != 0)
      fprintf(stderr, "another fetch of the same file is under way: waiting for it\n");
    told = true;
    if (taken && !tern_interrupt_check(e)) continue;
    if (!taken) tern_fail_errno(e, "%s: cannot lock", path);
    close(fd);
    return -1;
  }
  return fd;
}
