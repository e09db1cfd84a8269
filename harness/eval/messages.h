/* Messages of a prompt, as lm-eval 0.4.13 has them: who says what, and what
 * stands behind it where no chat template does the separating. */
#ifndef TERN_EVAL_MESSAGES_H
#define TERN_EVAL_MESSAGES_H

#include "engine/text/chat_template.h"

typedef enum tern_role { TERN_SYSTEM, TERN_USER, TERN_ASSISTANT } tern_role;
typedef struct tern_message {
  tern_role role;
  char *text;
  const char *behind; /* the caller's */
} tern_message;
typedef struct tern_messages {
  tern_message *list;
  int count, room;
} tern_messages;

/* Copies the text. */
int tern_messages_add(tern_messages *m, tern_role role, const char *text, const char *behind, tern_error *e);
/* Forgets those from place `from` on. */
void tern_messages_drop(tern_messages *m, int from);
void tern_messages_close(tern_messages *m);

/* The prompt (free()). chat NULL: texts one after the other, each with what is
 * behind it. Else in the template up to where the answer begins (BOS is the
 * tokenizer's to add): as turns, or all but the system's message as one user's
 * turn. A template without a place for a system message leaves it out, as
 * lm-eval does. */
int tern_messages_text(const tern_messages *m, const tern_chat_template *chat, bool turns, char **text, tern_error *e);

#endif
