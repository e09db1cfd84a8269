/* What Python's str methods do to text, for metrics that must agree with
 * lm-eval: lengths in code points, Unicode white space and case. Text is
 * NUL-terminated valid UTF-8. */
#ifndef TERN_EVAL_PYTHON_TEXT_H
#define TERN_EVAL_PYTHON_TEXT_H

#include <stddef.h>

#include "engine/base/error.h"

/* len(s). */
size_t tern_python_length(const char *s);
/* s.strip(), in place; returns s. */
char *tern_python_strip(char *s);
/* Bytes of s.rstrip(). */
size_t tern_python_rstrip(const char *s);
/* How often \s+ matches. */
size_t tern_python_space_runs(const char *s);
/* s.lower() (free()): full mapping, which may lengthen text, final sigma included. */
char *tern_python_lower(const char *s, tern_error *e);
/* s[:length], in place; returns s. */
char *tern_python_cut(char *s, size_t length);
/* Deletes the bytes in `ascii` (all below 0x80), in place; returns s. */
char *tern_python_delete(char *s, const char *ascii);

/* string.punctuation and string.digits. */
extern const char tern_python_punctuation[];
extern const char tern_python_digits[];

#endif
