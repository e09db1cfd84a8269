/* Error lines: formatted once, made safe to print. Text may come from a hostile
 * file, so control characters (C0, DEL, C1) and broken UTF-8 become '?'.
 * Invariant: e->text is one valid UTF-8 line without a newline. */
#include "engine/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Length of the printable UTF-8 character at s, 0 when it is none. */
static size_t printable(const unsigned char *s) {
  if (s[0] < 0x80) return s[0] >= 0x20 && s[0] != 0x7f;
  size_t n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xc0) != 0x80) return 0; /* also stops at the terminator */
  }
  if (s[0] == 0xc2 && s[1] < 0xa0) return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
  if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
  return n;
}

static void clean(char *text) {
  for (unsigned char *s = (unsigned char *)text; *s;) {
    size_t n = printable(s);
    if (n == 0) *s = '?';
    s += n ? n : 1;
  }
}

int tern_fail(tern_error *e, tern_status status, const char *format, ...) {
  char line[sizeof e->text]; /* arguments may point into e->text */
  va_list list;
  va_start(list, format);
  vsnprintf(line, sizeof line, format, list);
  va_end(list);
  clean(line);
  memcpy(e->text, line, sizeof line);
  e->status = status;
  return (int)status;
}

int tern_fail_errno(tern_error *e, const char *format, ...) {
  int saved = errno;
  char line[sizeof e->text];
  va_list list;
  va_start(list, format);
  vsnprintf(line, sizeof line, format, list);
  va_end(list);
  char reason[128];
  return tern_fail(e, TERN_FAILED, "%.*s: %s", (int)(sizeof line - sizeof reason), line,
                   strerror_r(saved, reason, sizeof reason));
}
