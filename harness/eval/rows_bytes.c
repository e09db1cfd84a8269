/* Bytes of a dataset file, through zlib, which passes over what is not gzip.
 * A cut or damaged .gz is an error: its rows would be silently fewer. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "harness/eval/rows_parts.h"

enum { STEP = 1 << 20 };

static int read_all(gzFile file, const char *path, size_t limit, char **text, size_t *size, tern_error *e) {
  size_t room = 0;
  for (;;) {
    if (*size > limit) return tern_fail(e, TERN_FAILED, "%s: is longer than %zu bytes", path, limit);
    if (room - *size < STEP) {
      room = room ? 2 * room : 2 * (size_t)STEP;
      char *more = realloc(*text, room + 1);
      if (more == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
      *text = more;
    }
    int got = gzread(file, *text + *size, STEP), code;
    const char *wrong = gzerror(file, &code);
    if (got < 0 || code == Z_BUF_ERROR)
      return code == Z_ERRNO ? tern_fail_errno(e, "%s", path)
                             : tern_fail(e, TERN_FAILED, "%s: damaged or cut gzip data (%s); fetch it again", path,
                                         code == Z_BUF_ERROR ? "unexpected end" : wrong);
    if (got == 0) break;
    *size += (size_t)got;
  }
  (*text)[*size] = '\0';
  return 0;
}

char *tern_rows_bytes(const char *path, size_t limit, size_t *size, tern_error *e) {
  char *text = NULL;
  *size = 0;
  gzFile file = gzopen(path, "rb");
  if (file == NULL) {
    tern_fail_errno(e, "%s", path);
    return NULL;
  }
  if (read_all(file, path, limit, &text, size, e) != 0) {
    free(text);
    text = NULL;
  }
  gzclose(file);
  return text;
}
