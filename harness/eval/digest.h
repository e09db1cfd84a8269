/* What a file's content is: size, SHA-256, and the id that git gives such a file.
 * The content of a file named .gz is what it unpacks to, so that a dataset packed
 * by another program is still the same dataset. */
#ifndef TERN_EVAL_DIGEST_H
#define TERN_EVAL_DIGEST_H

#include <stdbool.h>

#include "engine/base/error.h"

enum { TERN_SHA256_ROOM = 65, TERN_GIT_ID_ROOM = 41 }; /* hex and NUL */

typedef struct tern_digest {
  char sha256[TERN_SHA256_ROOM];
  char git_id[TERN_GIT_ID_ROOM]; /* of the bytes as they lie; "" for .gz content */
  long long size;                /* bytes of content */
  long long lines;               /* lines that are not empty */
} tern_digest;

/* `unpack`: a gzip file's content. Content beyond `most` bytes is an error. */
int tern_digest_file(tern_digest *out, const char *path, bool unpack, long long most, tern_error *e);
bool tern_digest_is_gzip(const char *name); /* by its ending */

#endif
