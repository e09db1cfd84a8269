/* Chat templates: conversations as the text that a family was tuned on. Each is
 * a row of a table written from the family's published Jinja template, which it
 * must equal byte for byte but for the beginning-of-text token: that one is the
 * tokenizer's to add (tern_tokenizer_adds_bos). A file's template is recognised
 * by marks that only its family's has; nothing is guessed. */
#ifndef TERN_TEXT_CHAT_TEMPLATE_H
#define TERN_TEXT_CHAT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"
#include "engine/format/gguf.h"

/* role: "system" (first only), "user" or "assistant"; content: UTF-8, no NUL. */
typedef struct tern_chat_message {
  const char *role, *content;
} tern_chat_message;

typedef struct tern_chat_template tern_chat_template; /* a const row: never freed */

/* The row of that name, NULL when there is none; row i of all, NULL at the end. */
const tern_chat_template *tern_chat_template_find(const char *name);
const tern_chat_template *tern_chat_template_at(int i);
const char *tern_chat_template_name(const tern_chat_template *t);

/* The row for a file: that of `wanted` where it is not NULL (the user's
 * --template NAME), else the one whose marks the file's tokenizer.chat_template
 * carries. Fails, listing the names, when there is none. */
int tern_chat_template_of(const tern_gguf *g, const char *wanted, const tern_chat_template **out, tern_error *e);
/* The same for a template's own text, of the file `where`; text NULL: it has none. */
int tern_chat_template_match(const char *text, size_t size, const char *where, const char *wanted,
                             const tern_chat_template **out, tern_error *e);

/* The conversation as text, to be encoded with special texts as tokens and BOS
 * before it where the tokenizer adds one. generation_prompt: ends where the
 * assistant's answer begins. *text is malloc'ed. Fails when the template has no
 * place for a role or an order of roles. */
int tern_chat_format(const tern_chat_template *t, const tern_chat_message *messages, int count, bool generation_prompt,
                     char **text, tern_error *e);

/* Texts that end an answer, NULL at the list's end; those that are tokens end it
 * as tokens (tern_tokenizer_find), the others as stop strings. */
const char *const *tern_chat_stops(const tern_chat_template *t);

#endif
