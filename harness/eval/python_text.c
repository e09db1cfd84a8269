/* utf8proc maps one character to one; the two cases where Python's lower does
 * more are here: U+0130 becomes two, and a sigma that ends a word has its own
 * form (Unicode's Final_Sigma). */
#include "harness/eval/python_text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

const char tern_python_punctuation[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const char tern_python_digits[] = "0123456789";

enum { DOTTED_I = 0x130, SIGMA = 0x3a3, FINAL_SIGMA = 0x3c2, DOT_ABOVE = 0x307 };

size_t tern_python_length(const char *s) {
  size_t n = 0;
  for (; *s != '\0'; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
  return n;
}

/* str.isspace: bidirectional types WS, B, S, or category Zs. */
bool tern_python_is_space(int32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0x2028 || c == 0x2029 ||
         utf8proc_category(c) == UTF8PROC_CATEGORY_ZS;
}

size_t tern_python_character(const char *s, int32_t *c) {
  utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, c);
  if (n > 0) return (size_t)n;
  *c = 0xfffd; /* not UTF-8: a character that no property holds for */
  return 1;
}

char *tern_python_strip(char *s) {
  char *first = s, *end = s;
  bool inside = false;
  for (char *at = s; *at != '\0';) {
    utf8proc_int32_t c;
    size_t n = tern_python_character(at, &c);
    if (!tern_python_is_space(c)) {
      if (!inside) first = at;
      inside = true;
      end = at + n;
    }
    at += n;
  }
  size_t size = inside ? (size_t)(end - first) : 0;
  memmove(s, first, size);
  s[size] = '\0';
  return s;
}

size_t tern_python_space_runs(const char *s) {
  size_t runs = 0;
  for (bool inside = false; *s != '\0';) {
    utf8proc_int32_t c;
    s += tern_python_character(s, &c);
    runs += tern_python_is_space(c) && !inside;
    inside = tern_python_is_space(c);
  }
  return runs;
}

size_t tern_python_rstrip(const char *s) {
  size_t kept = 0, size;
  for (const char *at = s; *at != '\0'; at += size) {
    utf8proc_int32_t c;
    size = tern_python_character(at, &c);
    if (!tern_python_is_space(c)) kept = (size_t)(at - s) + size;
  }
  return kept;
}

/* Cased: letters of either case, and Other_Lowercase's and Other_Uppercase's
 * ordinals, Roman numerals, letters in circles and squares. */
static bool is_cased(utf8proc_int32_t c) {
  static const utf8proc_int32_t others[][2] = {{0xaa, 0xaa},      {0xba, 0xba},       {0x2160, 0x217f},
                                               {0x24b6, 0x24e9},  {0x1f130, 0x1f149}, {0x1f150, 0x1f169},
                                               {0x1f170, 0x1f189}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    if (c >= others[i][0] && c <= others[i][1]) return true;
  }
  utf8proc_category_t k = utf8proc_category(c);
  return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT;
}

/* Case_Ignorable: marks, formats, modifiers, and punctuation within words. */
static bool is_passed_over(utf8proc_int32_t c) {
  static const utf8proc_int32_t inner[] = {0x27,   0x2e,   0x3a,   0xb7,   0x387,  0x55f,  0x5f4,  0x2018, 0x2019,
                                           0x2024, 0x2027, 0xfe13, 0xfe52, 0xfe55, 0xff07, 0xff0e, 0xff1a};
  for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
    if (inner[i] == c) return true;
  }
  utf8proc_category_t k = utf8proc_category(c);
  return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_CF ||
         k == UTF8PROC_CATEGORY_LM || k == UTF8PROC_CATEGORY_SK;
}

static bool cased_follows(const char *s) {
  while (*s != '\0') {
    utf8proc_int32_t c;
    s += tern_python_character(s, &c);
    if (!is_passed_over(c)) return is_cased(c);
  }
  return false;
}

char *tern_python_lower(const char *s, tern_error *e) {
  /* A character of n bytes becomes at most 3 bytes when n is 2, else no more than n + 1. */
  char *out = malloc(2 * strlen(s) + 1), *to = out;
  bool after_cased = false;
  if (out == NULL) {
    tern_fail(e, TERN_FAILED, "lower case of %zu bytes: out of memory", strlen(s));
    return NULL;
  }
  while (*s != '\0') {
    utf8proc_int32_t c, low;
    size_t n = tern_python_character(s, &c);
    s += n;
    low = c == DOTTED_I ? 'i' : c == SIGMA && after_cased && !cased_follows(s) ? FINAL_SIGMA : utf8proc_tolower(c);
    to += utf8proc_encode_char(low, (utf8proc_uint8_t *)to);
    if (c == DOTTED_I) to += utf8proc_encode_char(DOT_ABOVE, (utf8proc_uint8_t *)to);
    if (!is_passed_over(c)) after_cased = is_cased(c);
  }
  *to = '\0';
  return out;
}

char *tern_python_cut(char *s, size_t length) {
  char *at = s;
  for (; *at != '\0'; at++) {
    if (((unsigned char)*at & 0xc0) != 0x80 && length-- == 0) break;
  }
  *at = '\0';
  return s;
}

char *tern_python_delete(char *s, const char *ascii) {
  char *to = s;
  for (const char *at = s; *at != '\0'; at++) {
    if (strchr(ascii, *at) == NULL) *to++ = *at;
  }
  *to = '\0';
  return s;
}
