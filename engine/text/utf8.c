/* UTF-8: what is valid (RFC 3629: no overlong forms, no surrogates, nothing
 * above U+10FFFF), and streaming of tokens that end inside a character. */
#include <string.h>

#include "engine/text/tokenizer_parts.h"

/* Second byte's range by first byte; later bytes are always 80..BF. */
static const struct {
  uint8_t first, last, length, low, high;
} forms[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f},
    {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

/* Length of the character that starts at s, 0 when it can't become valid.
 * *have: how many of its bytes are there. */
static size_t character(const uint8_t *s, size_t left, size_t *have) {
  *have = 1;
  if (s[0] < 0x80) return 1;
  for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
    if (s[0] < forms[f].first || s[0] > forms[f].last) continue;
    size_t length = forms[f].length;
    for (; *have < length && *have < left; ++*have) {
      uint8_t low = *have == 1 ? forms[f].low : 0x80, high = *have == 1 ? forms[f].high : 0xbf;
      if (s[*have] < low || s[*have] > high) return 0;
    }
    return length;
  }
  return 0;
}

size_t tern_utf8_length(const uint8_t *s, size_t left) {
  size_t have, length = character(s, left, &have);
  return have < length ? 0 : length;
}

size_t tern_utf8_span(const uint8_t *s, size_t size) {
  size_t i = 0;
  while (i < size) {
    uint64_t eight;
    if (size - i >= 8 && (memcpy(&eight, s + i, 8), (eight & UINT64_C(0x8080808080808080)) == 0)) {
      i += 8;
      continue;
    }
    size_t length = tern_utf8_length(s + i, size - i);
    if (length == 0) break;
    i += length;
  }
  return i;
}

typedef struct sink {
  void (*put)(void *, const char *, size_t);
  void *arg;
} sink;

/* Bytes that are no character: one U+FFFD for as many as a character could have begun with (as Unicode advises). */
static void put_broken(const tern_utf8_stream *s, sink to, const uint8_t *bytes, size_t n) {
  if (s->replace)
    to.put(to.arg, "\xef\xbf\xbd", 3);
  else
    to.put(to.arg, (const char *)bytes, n);
}

/* Whole characters of a text that starts at a character; returns the bytes of a last one that is not whole yet. */
static size_t put_whole(const tern_utf8_stream *s, sink to, const uint8_t *data, size_t size) {
  size_t start = 0, i = 0;
  while (i < size) {
    size_t have, length = character(data + i, size - i, &have);
    if (have < length) break;
    if (length == 0) {
      if (i > start) to.put(to.arg, (const char *)data + start, i - start);
      put_broken(s, to, data + i, have);
      start = i + have;
    }
    i += length == 0 ? have : length;
  }
  if (i > start) to.put(to.arg, (const char *)data + start, i - start);
  return size - i;
}

/* Text held back is always the start of a character that may yet become
 * valid, so it never exceeds three bytes. */
void tern_utf8_push(tern_utf8_stream *s, tern_gguf_string bytes, void (*put)(void *, const char *, size_t), void *arg) {
  const uint8_t *data = (const uint8_t *)bytes.data;
  sink to = {put, arg};
  size_t i = 0;
  while (s->count > 0 && i < bytes.size) {
    s->held[s->count++] = data[i++];
    size_t have, length = character(s->held, (size_t)s->count, &have);
    if (have < length) continue;
    if (length == 0) { /* the new byte does not belong: look at it again by itself */
      s->count--;
      i--;
      put_broken(s, to, s->held, (size_t)s->count);
    } else {
      put(arg, (const char *)s->held, length);
    }
    s->count = 0;
  }
  size_t left = i < bytes.size ? put_whole(s, to, data + i, bytes.size - i) : 0;
  if (left > 0) {
    memcpy(s->held, data + bytes.size - left, left);
    s->count = (int)left;
  }
}

void tern_utf8_flush(tern_utf8_stream *s, void (*put)(void *, const char *, size_t), void *arg) {
  if (s->count > 0) put_broken(s, (sink){put, arg}, s->held, (size_t)s->count);
  s->count = 0;
}
