/* Escaping. Invariant: what is written is valid UTF-8 without controls. */
#include "reports/escape.h"

#include <string.h>

/* Length of the valid, printable UTF-8 character at s; 0 when it is none. */
static size_t character(const char *text) {
  const unsigned char *s = (const unsigned char *)text;
  if (s[0] < 0x80) return s[0] >= 0x20 && s[0] != 0x7f;
  size_t n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
  if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
  /* Direction overrides and isolates would let a name rewrite its neighbours. */
  if (s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) return 0;
  if (s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9) return 0;
  return n;
}

static char stand_in(char c) {
  return c == '\n' || c == '\r' || c == '\t' ? ' ' : '?';
}

void tern_escape_html(FILE *out, const char *text) {
  for (; text && *text;) {
    size_t n = character(text);
    switch (n == 1 ? *text : 0) {
    case '&':
      fputs("&amp;", out);
      break;
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    case '"':
      fputs("&quot;", out);
      break;
    case '\'':
      fputs("&#39;", out);
      break;
    default:
      if (n)
        fwrite(text, 1, n, out);
      else
        fputc(stand_in(*text), out);
    }
    text += n ? n : 1;
  }
}

void tern_escape_markdown(FILE *out, const char *text) {
  for (const char *at = text; at && *at;) {
    size_t n = character(at);
    /* '#', '+', '-', '.', ')' matter at the start of a line only, after digits too. */
    if (n == 1 && (strchr("\\`*_[]<>|&~$!", *at) || (at == text && strchr("#+-=", *at)))) fputc('\\', out);
    if (n)
      fwrite(at, 1, n, out);
    else
      fputc(stand_in(*at), out);
    at += n ? n : 1;
  }
}

void tern_escape_ascii(FILE *out, const char *text) {
  for (; text && *text;) {
    size_t n = character(text);
    if (n == 1)
      fputc(*text, out);
    else if (n == 3 && memcmp(text, "\xe2\x80\x93", 3) == 0)
      fputc('-', out);
    else
      fputc(n ? '?' : stand_in(*text), out);
    text += n ? n : 1;
  }
}

void tern_escape_label(char *out, size_t size, const char *text) {
  size_t used = 0;
  for (; *text && used + 1 < size;) {
    size_t n = character(text);
    out[used++] = n == 1 && !strchr("'\"\\`${}^_&%~#|;!<>", *text) ? *text : '_';
    text += n ? n : 1;
  }
  out[used] = '\0';
}
