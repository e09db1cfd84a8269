/* What is valid UTF-8: RFC 3629, without overlong forms and surrogates. */
#ifndef TERN_TEXT_UTF8_H
#define TERN_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length 1..4 of the valid character at s, 0 when it is not one. */
size_t tern_utf8_length(const uint8_t *s, size_t left);
/* Bytes of the longest valid prefix. */
size_t tern_utf8_span(const uint8_t *s, size_t size);

#endif
