/* Bounded text and slots. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/train/mini/text.h"

void mini_text_clear(mini_text *t) {
  t->used = 0;
  t->full = false;
  t->data[0] = '\0';
}

static void add(mini_text *t, const char *text, size_t n) {
  if (n >= MINI_TEXT - t->used) {
    t->full = true;
    return;
  }
  memcpy(t->data + t->used, text, n);
  t->used += n;
  t->data[t->used] = '\0';
}

void mini_text_add(mini_text *t, const char *text) {
  add(t, text, strlen(text));
}

void mini_text_print(mini_text *t, const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (n < 0 || n >= (int)sizeof line)
    t->full = true;
  else
    add(t, line, (size_t)n);
}

bool mini_text_fill(mini_text *t, const char *sentence, const mini_slots *s) {
  while (*sentence) {
    size_t plain = strcspn(sentence, "{");
    add(t, sentence, plain);
    sentence += plain;
    if (!*sentence) break;
    const char *value = sentence[1] > 0 && sentence[2] == '}' ? s->of[(unsigned char)sentence[1]] : NULL;
    if (!value) return false;
    mini_text_add(t, value);
    sentence += 3;
  }
  return true;
}

void mini_slot_number(mini_slots *s, char slot, int value) {
  char *to = s->number[slot == 'k'];
  snprintf(to, sizeof s->number[0], "%d", value);
  s->of[(unsigned char)slot] = to;
}
