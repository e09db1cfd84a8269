/* What Python's str methods do to text, for metrics that must agree with
 * lm-eval: lengths in code points, Unicode white space and case. Text is
 * NUL-terminated valid UTF-8. */
#ifndef TERN_EVAL_PYTHON_TEXT_H
#define TERN_EVAL_PYTHON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* s.isupper(), s.islower(): some character has case, and none has the other. */
bool tern_python_is_upper(const char *s);
bool tern_python_is_lower(const char *s);
/* chr(c).isspace(). */
bool tern_python_is_space(int32_t c);
/* The character at s, U+FFFD for what is no UTF-8; returns its bytes. */
size_t tern_python_character(const char *s, int32_t *c);

/* string.punctuation and string.digits. */
extern const char tern_python_punctuation[];
extern const char tern_python_digits[];

#endif
