/* Read-only mappings, whole-file reads, mkdir -p. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/file.h"

/* Opens a regular file; O_NONBLOCK so that a FIFO does not hang the open. */
static int open_regular(const char *path, struct stat *st, tern_error *e) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    tern_fail_errno(e, "%s: cannot open", path);
    return -1;
  }
  if (fstat(fd, st) != 0) {
    tern_fail_errno(e, "%s: cannot stat", path);
  } else if (!S_ISREG(st->st_mode)) {
    tern_fail(e, TERN_FAILED, "%s: not a regular file", path);
  } else {
    return fd;
  }
  close(fd);
  return -1;
}

int tern_map_open(tern_map *out, const char *path, tern_error *e) {
  *out = (tern_map){0};
  struct stat st;
  int fd = open_regular(path, &st, e);
  if (fd < 0) return TERN_FAILED;
  int rc = 0;
  if (st.st_size == 0) {
    rc = tern_fail(e, TERN_FAILED, "%s: empty file", path);
  } else {
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
      rc = tern_fail_errno(e, "%s: cannot map %lld bytes", path, (long long)st.st_size);
    } else {
      *out = (tern_map){.data = p, .size = (size_t)st.st_size};
    }
  }
  close(fd);
  return rc;
}

void tern_map_done(const tern_map *m, size_t offset, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t first = (offset + page - 1) / page * page; /* whole pages only: neighbours may be in use */
  size_t end = (offset + size) / page * page;
  if (end > first && end <= m->size) madvise((void *)(uintptr_t)(m->data + first), end - first, MADV_DONTNEED);
}

void tern_map_close(tern_map *m) {
  if (m->data) munmap((void *)(uintptr_t)m->data, m->size);
  *m = (tern_map){0};
}

static char *read_all(int fd, size_t capacity, size_t *size, const char *path, tern_error *e) {
  char *text = malloc(capacity + 1);
  if (!text) {
    tern_fail(e, TERN_FAILED, "%s: out of memory (%zu bytes)", path, capacity);
    return NULL;
  }
  size_t n = 0;
  while (n < capacity) {
    ssize_t got = read(fd, text + n, capacity - n);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      tern_fail_errno(e, "%s: cannot read", path);
      free(text);
      return NULL;
    }
    if (got == 0) break;
    n += (size_t)got;
  }
  text[n] = 0;
  *size = n;
  return text;
}

char *tern_file_read(const char *path, size_t limit, size_t *size, tern_error *e) {
  struct stat st;
  int fd = open_regular(path, &st, e);
  if (fd < 0) return NULL;
  char *text = NULL;
  if ((uintmax_t)st.st_size > limit) {
    tern_fail(e, TERN_FAILED, "%s: %lld bytes, more than the %zu that are sane for this file", path,
              (long long)st.st_size, limit);
  } else {
    text = read_all(fd, (size_t)st.st_size, size, path, e);
  }
  close(fd);
  return text;
}

int tern_directory_make(const char *path, tern_error *e) {
  char part[PATH_MAX];
  size_t n = strlen(path);
  if (n == 0 || n >= sizeof part) return tern_fail(e, TERN_FAILED, "%.80s: bad directory name", path);
  for (size_t i = 1; i <= n; i++) {
    if (path[i] != '/' && path[i] != 0) continue;
    memcpy(part, path, i);
    part[i] = 0;
    if (mkdir(part, 0777) != 0 && errno != EEXIST) return tern_fail_errno(e, "%s: cannot make the directory", part);
  }
  struct stat st;
  if (stat(path, &st) != 0) return tern_fail_errno(e, "%s: cannot make the directory", path);
  if (!S_ISDIR(st.st_mode)) return tern_fail(e, TERN_FAILED, "%s: is there, but is no directory", path);
  return 0;
}
