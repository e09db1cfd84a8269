/* str.isupper and str.islower. Beside the letters, Unicode gives a case to some
 * modifiers, Roman numerals and letters in circles (Other_Lowercase,
 * Other_Uppercase, as of Unicode 14, which CPython 3.11 has). */
#include <utf8proc.h>

#include "harness/eval/python_text.h"

typedef struct range {
  int32_t from, to;
} range;

static const range other_lower[] = {
    {0xaa, 0xaa},     {0xba, 0xba},     {0x2b0, 0x2b8},     {0x2c0, 0x2c1},     {0x2e0, 0x2e4},     {0x345, 0x345},
    {0x37a, 0x37a},   {0x1d2c, 0x1d6a}, {0x1d78, 0x1d78},   {0x1d9b, 0x1dbf},   {0x2071, 0x2071},   {0x207f, 0x207f},
    {0x2090, 0x209c}, {0x2170, 0x217f}, {0x24d0, 0x24e9},   {0x2c7c, 0x2c7d},   {0xa69c, 0xa69d},   {0xa770, 0xa770},
    {0xa7f8, 0xa7f9}, {0xab5c, 0xab5f}, {0x10780, 0x10780}, {0x10783, 0x10785}, {0x10787, 0x107b0}, {0x107b2, 0x107ba}};
static const range other_upper[] = {
    {0x2160, 0x216f}, {0x24b6, 0x24cf}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189}};

static bool within(int32_t c, const range *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (c >= list[i].from && c <= list[i].to) return true;
  }
  return false;
}

static bool lower(int32_t c) {
  return utf8proc_category(c) == UTF8PROC_CATEGORY_LL ||
         within(c, other_lower, sizeof other_lower / sizeof *other_lower);
}

static bool upper(int32_t c) {
  return utf8proc_category(c) == UTF8PROC_CATEGORY_LU ||
         within(c, other_upper, sizeof other_upper / sizeof *other_upper);
}

static bool all_cased(const char *s, bool (*wanted)(int32_t), bool (*other)(int32_t)) {
  bool any = false;
  while (*s != '\0') {
    int32_t c;
    s += tern_python_character(s, &c);
    if (other(c) || utf8proc_category(c) == UTF8PROC_CATEGORY_LT) return false;
    any = any || wanted(c);
  }
  return any;
}

bool tern_python_is_upper(const char *s) {
  return all_cased(s, upper, lower);
}
bool tern_python_is_lower(const char *s) {
  return all_cased(s, lower, upper);
}
