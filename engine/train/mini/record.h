/* One record of a task, and the generators. */
#ifndef TERN_MINI_RECORD_H
#define TERN_MINI_RECORD_H

#include <stdio.h>

#include "engine/train/mini/text.h"
#include "engine/train/mini/world.h"

enum { MINI_CHOICES = 4, MINI_SHORT = 96, MINI_ANSWERS = 512 };

/* What of a record must be new. Keys (number tuples, passages, ...) always come
 * from the aim's pool; these say what else does. */
enum {
  MINI_NEW_COMPOSITION = 1, /* of a word problem's parts */
  MINI_NEW_PHRASES = 2,     /* every sentence that has held-out forms uses one */
  MINI_NEW_FACTS = 4,       /* facts of the choice world */
  MINI_REVERSED = 8,        /* from the value to the member */
  MINI_LETTERS = 16         /* choices in the prompt, the answer a letter */
};

typedef struct mini_aim {
  mini_pool pool;
  unsigned what;
  int tokens; /* few-shot documents: about the most that they hold */
} mini_aim;

typedef struct mini_record {
  mini_text prompt, completion;
  const char *kind;
  int answers; /* in few-shot prompts: bytes begin to end of it */
  size_t begin[MINI_ANSWERS], end[MINI_ANSWERS];
  int choices, answer; /* choices == 0: no task of choice */
  char choice[MINI_CHOICES][MINI_SHORT];
  char tuple[MINI_SHORT], composition[MINI_SHORT]; /* word problems; else "" */
} mini_record;

void mini_record_clear(mini_record *r);
int mini_record_write(FILE *to, const mini_record *r, const char *task, const char *split, int number);

/* Sets the choices, the right one first in `text`, in drawn order; `answer`
 * says where it went. */
void mini_record_choose(mini_record *r, mini_draw *d, const char *const *text, int choices);

/* A generator tries one draw: false when the draw is of another pool, broken or
 * too long, and another stream must be tried. */
typedef bool mini_maker(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r);
mini_maker mini_make_word, mini_make_drill, mini_make_choice, mini_make_state, mini_make_yesno, mini_make_recall,
    mini_make_copy, mini_make_ending, mini_make_shots, mini_make_story, mini_make_tune;

#endif
