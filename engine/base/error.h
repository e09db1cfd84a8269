/* Errors: a function that can fail returns int (0 or a tern_status) and fills
 * the tern_error given (never NULL) with one line: file, field, remedy. */
#ifndef TERN_BASE_ERROR_H
#define TERN_BASE_ERROR_H

typedef enum tern_status {
  TERN_OK = 0,
  TERN_FAILED = 1, /* exit code 1 */
  TERN_USAGE = 2,  /* exit code 2 */
  TERN_INTERRUPTED = 130
} tern_status;

typedef struct tern_error {
  tern_status status;
  char text[512]; /* one line, no newline */
} tern_error;

/* Formats the line, replaces control characters (text may come from a hostile
 * file), returns `status`. */
int tern_fail(tern_error *e, tern_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* tern_fail(TERN_FAILED) with ": strerror(errno)" appended. */
int tern_fail_errno(tern_error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
