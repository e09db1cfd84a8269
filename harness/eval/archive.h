/* Files out of archives and compressed streams (libarchive: tar, zip, gzip,
 * bzip2, xz, zstd). Nothing is ever written under a name that an archive gives;
 * an archive with a name that points elsewhere is refused all the same: it is
 * not what its publisher made. */
#ifndef TERN_EVAL_ARCHIVE_H
#define TERN_EVAL_ARCHIVE_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_member {
  char *name;
  char *data; /* NUL behind */
  size_t size;
} tern_member;
typedef struct tern_members {
  tern_member *all;
  size_t count;
} tern_members;

/* The regular files whose whole name matches `pattern` (fnmatch, '*' not over
 * '/'), sorted by name, together at most `most` bytes. NULL: a single compressed
 * (or plain) stream, as one member. None is an error. */
int tern_archive_read(tern_members *out, const char *path, const char *pattern, size_t most, tern_error *e);
void tern_members_close(tern_members *m);

#endif
