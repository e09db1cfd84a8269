/* Bytes as text. GPT-2's printable form, in which byte-level vocabularies are
 * written: printable Latin-1 stands for itself, the other 68 bytes take the
 * characters from U+0100 on, in order. And base64 (RFC 4648). */
#include "engine/text/tokenizer_parts.h"

static bool printable(int b) {
  return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
}

/* The others are 0..32, 127..160 and 173. */
static int character_of(int byte) {
  if (printable(byte)) return byte;
  return 256 + (byte <= 32 ? byte : byte <= 160 ? byte - 127 + 33 : 67);
}

/* Byte for a character of one or two UTF-8 bytes, -1 for none. */
static int byte_of(int character) {
  if (character < 256) return printable(character) ? character : -1;
  int i = character - 256;
  return i < 33 ? i : i < 67 ? i - 33 + 127 : i == 67 ? 173 : -1;
}

size_t tern_byte_text_write(const uint8_t *bytes, size_t size, char *out) {
  size_t n = 0;
  for (size_t i = 0; i < size; i++) {
    int c = character_of(bytes[i]);
    if (c < 0x80) {
      out[n++] = (char)c;
    } else {
      out[n++] = (char)(0xc0 | c >> 6);
      out[n++] = (char)(0x80 | (c & 0x3f));
    }
  }
  return n;
}

size_t tern_byte_text_read(const char *text, size_t size, uint8_t *out) {
  const uint8_t *s = (const uint8_t *)text;
  size_t n = 0;
  for (size_t i = 0; i < size;) {
    size_t length = tern_utf8_length(s + i, size - i);
    if (length != 1 && length != 2) return SIZE_MAX;
    int byte = byte_of(length == 1 ? s[i] : (s[i] & 0x1f) << 6 | (s[i + 1] & 0x3f));
    if (byte < 0) return SIZE_MAX;
    out[n++] = (uint8_t)byte;
    i += length;
  }
  return n;
}

static int sextet(int c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t tern_base64_read(const uint8_t *in, size_t size, uint8_t *out) {
  size_t n = 0;
  uint32_t bits = 0;
  while (size > 0 && in[size - 1] == '=') size--;
  for (size_t i = 0; i < size; i++) {
    int six = sextet(in[i]);
    if (six < 0) return SIZE_MAX;
    bits = bits << 6 | (uint32_t)six;
    if (i % 4 != 0) out[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
  }
  return size % 4 == 1 ? SIZE_MAX : n;
}
