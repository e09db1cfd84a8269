/* A conversation: messages in order, and as a JSON file. */
#ifndef TERN_HARNESS_CONVERSATION_H
#define TERN_HARNESS_CONVERSATION_H

#include <stddef.h>

#include "engine/text/chat_template.h"

typedef struct tern_conversation {
  tern_chat_message *messages; /* role: a literal; content: owned */
  int count, room;
} tern_conversation;

void tern_conversation_clear(tern_conversation *c); /* and frees */
/* role: "system", "user" or "assistant"; the text is copied. */
int tern_conversation_add(tern_conversation *c, const char *role, const char *text, size_t size, tern_error *e);
void tern_conversation_drop_last(tern_conversation *c);

/* Written whole or not at all. */
int tern_conversation_save(const tern_conversation *c, const char *path, tern_error *e);
/* Replaces c when the file is fine, else leaves it. */
int tern_conversation_load(tern_conversation *c, const char *path, tern_error *e);

#endif
