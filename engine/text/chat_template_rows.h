/* The rows of chat_template.c and what a row can say. Rows with the same shape
 * differ in data only: a new family is a row, and a flag where its template has
 * a rule that no other has. */
#ifndef TERN_TEXT_CHAT_TEMPLATE_ROWS_H
#define TERN_TEXT_CHAT_TEMPLATE_ROWS_H

#include "engine/text/chat_template.h"

enum { TERN_CHAT_MARKS = 5, TERN_CHAT_STOPS = 4, TERN_CHAT_ROLES = 3 };

typedef enum tern_chat_rule {
  TERN_CHAT_TRIM = 1,         /* contents without blanks at both ends (Python's strip) */
  TERN_CHAT_ALTERNATE = 2,    /* user and assistant must take turns, user first */
  TERN_CHAT_FOLD = 4,         /* the system's text, between fold[0] and fold[1], opens the first user's */
  TERN_CHAT_TRIM_FOLDED = 8,  /* ... and is trimmed with it */
  TERN_CHAT_SKIP_EMPTY = 16,  /* an empty system message is left out */
  TERN_CHAT_ANSWER_ONLY = 32, /* what an answer says before its last </think> is left out */
  TERN_CHAT_QWEN3 = 64        /* ... but kept, in a think block, in answers after the last question */
} tern_chat_rule;

typedef struct tern_chat_turn {
  const char *before, *after;
} tern_chat_turn;

struct tern_chat_template {
  const char *name;
  /* Texts that the family's Jinja template has and, where another family's is
   * close, that it lacks. Exactly one row may fit a template. */
  const char *has[TERN_CHAT_MARKS + 1], *lacks[TERN_CHAT_MARKS + 1];
  const char *alone;                     /* a mark that is enough by itself, or NULL */
  tern_chat_turn turns[TERN_CHAT_ROLES]; /* system, user, assistant; before NULL: no place for it */
  const char *opening;                   /* in place of a system message that is not there, or NULL */
  const char *fold[2];
  const char *last_answer_after;  /* of an answer that ends the conversation, where it differs */
  const char *prompt, *no_prompt; /* what ends the text with and without a generation prompt */
  const char *bos;                /* which the first turn starts with and the tokenizer adds, or NULL */
  const char *eos;                /* the end-of-text token that the turns above contain, or NULL */
  unsigned rules;
  const char *stops[TERN_CHAT_STOPS + 1];
};

extern const tern_chat_template tern_chat_templates[];
extern const int tern_chat_template_count;

#endif
