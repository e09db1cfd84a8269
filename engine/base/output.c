/* Outputs that appear whole or not at all: a temporary beside the target,
 * fsync, rename. Live temporaries stand in a fixed table (the one piece of
 * mutable file state), because a signal handler must be able to remove them
 * and may neither lock nor allocate. A forked child does not own them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/file.h"

enum { SLOTS = 16, SLOT_FREE = 0, SLOT_TAKEN, SLOT_LIVE };

typedef struct slot {
  atomic_int state;
  pid_t owner;
  char temporary[PATH_MAX];
} slot;
static slot slots[SLOTS];

struct tern_output {
  FILE *stream;
  slot *slot;
  char target[PATH_MAX];
};

static slot *take_slot(void) {
  for (int i = 0; i < SLOTS; i++) {
    int expected = SLOT_FREE;
    if (atomic_compare_exchange_strong(&slots[i].state, &expected, SLOT_TAKEN)) return &slots[i];
  }
  return NULL;
}

/* Where a write to `path` ends up: through symbolic links, never onto a device. */
static int find_target(char target[PATH_MAX], mode_t *mode, const char *path, tern_error *e) {
  struct stat st;
  *mode = 0;
  if (stat(path, &st) != 0) {
    size_t n = strlen(path);
    if (errno != ENOENT) return tern_fail_errno(e, "%s: cannot write", path);
    if (n == 0 || n >= PATH_MAX || path[n - 1] == '/') {
      return tern_fail(e, TERN_FAILED, "%.80s: not a file name", path);
    }
    memcpy(target, path, n + 1);
    return 0;
  }
  if (!S_ISREG(st.st_mode)) {
    return tern_fail(e, TERN_FAILED, "%s: is there and is no regular file; name another output", path);
  }
  if (!realpath(path, target)) return tern_fail_errno(e, "%s: cannot write", path);
  *mode = st.st_mode & 0777;
  return 0;
}

static int create_temporary(slot *s, const char *target, tern_error *e) {
  static atomic_uint counter;
  for (int attempt = 0; attempt < 100; attempt++) {
    int n = snprintf(s->temporary, sizeof s->temporary, "%s.%d-%u.tmp", target, (int)getpid(),
                     atomic_fetch_add(&counter, 1));
    if (n < 0 || (size_t)n >= sizeof s->temporary) {
      tern_fail(e, TERN_FAILED, "%.80s: name too long", target);
      return -1;
    }
    int fd = open(s->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return fd;
    if (errno != EEXIST) break;
  }
  tern_fail_errno(e, "%s: cannot write", target);
  return -1;
}

int tern_output_open(tern_output **out, const char *path, tern_error *e) {
  *out = NULL;
  int fd = -1;
  mode_t mode;
  tern_output *o = calloc(1, sizeof *o);
  if (!o) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  if (find_target(o->target, &mode, path, e)) goto failed;
  o->slot = take_slot();
  if (!o->slot) {
    tern_fail(e, TERN_FAILED, "%s: more than %d outputs open at once", path, SLOTS);
    goto failed;
  }
  fd = create_temporary(o->slot, o->target, e);
  if (fd < 0) goto failed;
  o->slot->owner = getpid();
  atomic_store(&o->slot->state, SLOT_LIVE);
  if (mode && fchmod(fd, mode) != 0) {
    tern_fail_errno(e, "%s: cannot set its mode", path);
    goto failed;
  }
  o->stream = fdopen(fd, "r+");
  if (!o->stream) {
    tern_fail_errno(e, "%s: cannot write", path);
    goto failed;
  }
  *out = o;
  return 0;

failed:
  if (fd >= 0) close(fd);
  tern_output_abandon(o);
  return (int)e->status;
}

FILE *tern_output_stream(tern_output *o) {
  return o->stream;
}
int tern_output_fd(tern_output *o) {
  return fileno(o->stream);
}

int tern_output_write_at(tern_output *o, const void *data, size_t size, size_t at, tern_error *e) {
  const uint8_t *from = data;
  while (size > 0) {
    ssize_t n = pwrite(fileno(o->stream), from, size, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return tern_fail_errno(e, "%s: cannot write", o->target);
    from += n;
    at += (size_t)n;
    size -= (size_t)n;
  }
  return 0;
}

/* After the rename the file is there either way; the directory's fsync only
 * makes the name survive a power cut, so its failure is not one of ours. */
static void sync_directory(const char *target) {
  char name[PATH_MAX];
  const char *slash = strrchr(target, '/');
  size_t n = slash ? (size_t)(slash - target) : 0;
  memcpy(name, target, n);
  name[n] = 0;
  int fd = open(slash ? (n ? name : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

int tern_output_commit(tern_output *o, tern_error *e) {
  int rc = 0;
  if (fflush(o->stream) != 0 || ferror(o->stream) || fsync(fileno(o->stream)) != 0) {
    rc = tern_fail_errno(e, "%s: cannot write", o->target);
  }
  if (fclose(o->stream) != 0 && !rc) rc = tern_fail_errno(e, "%s: cannot write", o->target);
  o->stream = NULL;
  if (!rc && rename(o->slot->temporary, o->target) != 0) rc = tern_fail_errno(e, "%s: cannot rename to it", o->target);
  if (!rc) {
    atomic_store(&o->slot->state, SLOT_TAKEN); /* nothing left to remove */
    sync_directory(o->target);
  }
  tern_output_abandon(o);
  return rc;
}

void tern_output_abandon(tern_output *o) {
  if (!o) return;
  if (o->stream) fclose(o->stream);
  if (o->slot) {
    if (atomic_load(&o->slot->state) == SLOT_LIVE) unlink(o->slot->temporary);
    atomic_store(&o->slot->state, SLOT_FREE);
  }
  free(o);
}

void tern_outputs_abandon(void) {
  for (int i = 0; i < SLOTS; i++) {
    if (atomic_load(&slots[i].state) == SLOT_LIVE && slots[i].owner == getpid()) unlink(slots[i].temporary);
  }
}
