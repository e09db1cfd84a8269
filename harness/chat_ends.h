/* What ends an answer under a chat template, as tokens where the tokenizer has
 * them, else as stop strings. */
#ifndef TERN_HARNESS_CHAT_ENDS_H
#define TERN_HARNESS_CHAT_ENDS_H

#include "engine/generate/answer.h"
#include "engine/text/chat_template.h"

enum { TERN_MOST_CHAT_ENDS = 64 };

typedef struct tern_chat_ends {
  int32_t ids[TERN_MOST_CHAT_ENDS];
  const char *texts[TERN_MOST_CHAT_ENDS];
  int id_count, text_count;
} tern_chat_ends;

int tern_chat_ends_find(tern_chat_ends *s, const tern_chat_template *t, const tern_tokenizer *tokenizer, tern_error *e);
/* Adds them to the answer's own; *s must stay until the answer is open. */
void tern_chat_ends_add(tern_chat_ends *s, tern_answer_params *p);

#endif
