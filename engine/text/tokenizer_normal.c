/* What tokenizers do to text before they cut it: Unicode normal forms
 * (utf8proc), SentencePiece's map, blanks. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "engine/text/tokenizer_parts.h"

enum { GRAPHEME_LIMIT = 6 }; /* bytes from which Hugging Face looks at characters only */

int tern_text_append(tern_text *t, const void *bytes, size_t size, tern_error *e) {
  if (size == 0) return TERN_OK;
  if (t->capacity - t->size < size) {
    size_t capacity = (t->size + size) * 2;
    uint8_t *grown = capacity < size ? NULL : realloc(t->bytes, capacity);
    if (grown == NULL) return tern_fail(e, TERN_FAILED, "not enough memory for a text of %zu bytes", t->size + size);
    t->bytes = grown;
    t->capacity = capacity;
  }
  memcpy(t->bytes + t->size, bytes, size);
  t->size += size;
  return TERN_OK;
}

bool tern_is_white(int32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || utf8proc_category(c) == UTF8PROC_CATEGORY_ZS || c == 0x2028 || c == 0x2029;
}

bool tern_normal_active(const tern_normal *n) {
  return n->form || n->charsmap || n->strip_left || n->strip_right || n->collapse || n->white_words;
}

static int put_form(const tern_normal *n, const uint8_t *text, size_t size, tern_text *out, tern_error *e) {
  utf8proc_uint8_t *form = NULL;
  utf8proc_ssize_t count = utf8proc_map(text, (utf8proc_ssize_t)size, &form, (utf8proc_option_t)n->form);
  int status = count < 0 ? tern_fail(e, TERN_FAILED, "cannot normalise this text: %s", utf8proc_errmsg(count))
                         : tern_text_append(out, form, (size_t)count, e);
  free(form);
  return status;
}

/* Each time the longest key, else a character as it is. */
static int put_mapped(const tern_normal *n, const uint8_t *text, size_t size, tern_text *out, tern_error *e) {
  for (size_t at = 0, taken; at < size; at += taken) {
    tern_gguf_string to = tern_charsmap_find(n, text + at, size - at, true, &taken);
    const void *bytes = taken ? (const void *)to.data : text + at;
    if (taken == 0) to.size = taken = tern_utf8_length(text + at, size - at);
    if (tern_text_append(out, bytes, to.size, e)) return TERN_FAILED;
  }
  return TERN_OK;
}

/* Bytes of the grapheme at the start of valid text. */
static size_t grapheme(const uint8_t *text, size_t size) {
  utf8proc_int32_t before, c, state = 0;
  size_t at = (size_t)utf8proc_iterate(text, (utf8proc_ssize_t)size, &before);
  for (utf8proc_ssize_t n; at < size; at += (size_t)n, before = c) {
    n = utf8proc_iterate(text + at, (utf8proc_ssize_t)(size - at), &c);
    if (n < 1 || utf8proc_grapheme_break_stateful(before, c, &state)) break;
  }
  return at;
}

/* What a small grapheme's shortest key says stands for all of it; else each character by itself. */
static int put_graphemes(const tern_normal *n, const uint8_t *text, size_t size, tern_text *out, tern_error *e) {
  for (size_t at = 0, end; at < size; at = end) {
    size_t taken = 0;
    end = at + grapheme(text + at, size - at);
    tern_gguf_string to = {"", 0};
    if (end - at < GRAPHEME_LIMIT) to = tern_charsmap_find(n, text + at, end - at, false, &taken);
    if (taken) {
      if (tern_text_append(out, to.data, to.size, e)) return TERN_FAILED;
      continue;
    }
    for (size_t i = at, length; i < end; i += length) {
      length = tern_utf8_length(text + i, end - i);
      to = tern_charsmap_find(n, text + i, length, false, &taken);
      if (tern_text_append(out, taken ? (const void *)to.data : text + i, taken ? to.size : length, e))
        return TERN_FAILED;
    }
  }
  return TERN_OK;
}

static int put_valid(const tern_normal *n, const uint8_t *text, size_t size, tern_text *out, tern_error *e) {
  if (size == 0) return TERN_OK;
  if (n->charsmap) return n->graphemes ? put_graphemes(n, text, size, out, e) : put_mapped(n, text, size, out, e);
  return n->form ? put_form(n, text, size, out, e) : tern_text_append(out, text, size, e);
}

/* Bytes of the blank at s, 0 when there is none. */
static size_t blank(const tern_normal *n, const uint8_t *s, size_t left) {
  if (!n->white_words && !n->graphemes) return *s == ' ';
  utf8proc_int32_t c;
  utf8proc_ssize_t length = utf8proc_iterate(s, (utf8proc_ssize_t)left, &c);
  return length > 0 && tern_is_white(c) ? (size_t)length : 0;
}

/* In place: blanks from `start` on. Only plain blanks collapse unless words are cut at any white space. */
static void fix_blanks(const tern_normal *n, tern_text *t, size_t start, bool first, bool last) {
  size_t to = start, at = start, length;
  bool left = (n->strip_left && (first || !n->whole_text)) || n->white_words;
  bool right = (n->strip_right && (last || !n->whole_text)) || n->white_words;
  while (left && at < t->size && (length = blank(n, t->bytes + at, t->size - at)) > 0) at += length;
  while (at < t->size) {
    size_t run = 0, end = at;
    for (; end < t->size && (length = n->white_words ? blank(n, t->bytes + end, t->size - end) : t->bytes[end] == ' ');
         end += length)
      run++;
    if (n->white_words ? run > 0 : n->collapse && run > 1) {
      t->bytes[to++] = ' ';
      at = end;
    } else {
      t->bytes[to++] = t->bytes[at++];
    }
  }
  t->size = to;
  while (right && t->size > start) {
    size_t at_end = t->size - 1;
    while (at_end > start && (t->bytes[at_end] & 0xc0) == 0x80) at_end--;
    if (blank(n, t->bytes + at_end, t->size - at_end) == 0) break;
    t->size = at_end;
  }
}

int tern_normal_apply(const tern_normal *n, const uint8_t *text, size_t size, bool first, bool last, tern_text *out,
                      tern_error *e) {
  size_t start = out->size;
  for (size_t at = 0; at < size;) {
    size_t valid = tern_utf8_span(text + at, size - at), broken = valid;
    while (at + broken < size && tern_utf8_length(text + at + broken, size - at - broken) == 0) broken++;
    if (put_valid(n, text + at, valid, out, e) || tern_text_append(out, text + at + valid, broken - valid, e))
      return TERN_FAILED;
    at += broken;
  }
  if (n->strip_left || n->strip_right || n->collapse || n->white_words) fix_blanks(n, out, start, first, last);
  return TERN_OK;
}
