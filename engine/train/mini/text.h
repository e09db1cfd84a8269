/* Text of bounded length, and sentences with slots: {P} stands for slot 'P'. */
#ifndef TERN_MINI_TEXT_H
#define TERN_MINI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { MINI_TEXT = 24576 };

typedef struct mini_text {
  size_t used;
  bool full; /* something did not fit: the record is not to be used */
  char data[MINI_TEXT];
} mini_text;

typedef struct mini_slots {
  const char *of[128]; /* by the slot's letter; NULL: not set */
  char number[2][12];  /* what {n} and {k} point to after mini_slot_number */
} mini_slots;

void mini_text_clear(mini_text *t);
void mini_text_add(mini_text *t, const char *text);
void mini_text_print(mini_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends the sentence; false when a slot that it names is not set. */
bool mini_text_fill(mini_text *t, const char *sentence, const mini_slots *s);
/* slot is 'n' or 'k' */
void mini_slot_number(mini_slots *s, char slot, int value);

#endif
