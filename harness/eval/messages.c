/* Contents of a user's one turn keep their delimiters; turns go without. */
#include "harness/eval/messages.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

int tern_messages_add(tern_messages *m, tern_role role, const char *text, const char *behind, tern_error *e) {
  if (m->count == m->room) {
    int room = m->room > 0 ? 2 * m->room : 16;
    tern_message *more = realloc(m->list, tern_mul((size_t)room, sizeof *more));
    if (more == NULL) return tern_fail(e, TERN_FAILED, "a prompt of %d messages: out of memory", room);
    m->list = more;
    m->room = room;
  }
  char *copy = strdup(text);
  if (copy == NULL) return tern_fail(e, TERN_FAILED, "a prompt of %zu bytes: out of memory", strlen(text));
  m->list[m->count++] = (tern_message){role, copy, behind};
  return 0;
}

void tern_messages_drop(tern_messages *m, int from) {
  while (m->count > from) free(m->list[--m->count].text);
}

void tern_messages_close(tern_messages *m) {
  tern_messages_drop(m, 0);
  free(m->list);
  *m = (tern_messages){0};
}

/* Messages from place `from` on, each with what is behind it. */
static char *joined(const tern_messages *m, int from, tern_error *e) {
  size_t size = 0, at = 0;
  for (int i = from; i < m->count; i++) size += strlen(m->list[i].text) + strlen(m->list[i].behind);
  char *text = malloc(size + 1);
  if (text == NULL) {
    tern_fail(e, TERN_FAILED, "a prompt of %zu bytes: out of memory", size);
    return NULL;
  }
  for (int i = from; i < m->count; i++) {
    const char *const parts[] = {m->list[i].text, m->list[i].behind};
    for (int k = 0; k < 2; k++) {
      size_t n = strlen(parts[k]);
      memcpy(text + at, parts[k], n);
      at += n;
    }
  }
  text[at] = '\0';
  return text;
}

static int in_template(const tern_chat_template *chat, const tern_chat_message *list, int count, char **text,
                       tern_error *e) {
  int status = tern_chat_format(chat, list, count, true, text, e);
  if (status == 0 || count == 0 || strcmp(list[0].role, "system") != 0) return status;
  return tern_chat_format(chat, list + 1, count - 1, true, text, e);
}

static int as_turns(const tern_messages *m, const tern_chat_template *chat, char **text, tern_error *e) {
  static const char *const roles[] = {[TERN_SYSTEM] = "system", [TERN_USER] = "user", [TERN_ASSISTANT] = "assistant"};
  tern_chat_message *list = calloc((size_t)m->count, sizeof *list);
  if (list == NULL) return tern_fail(e, TERN_FAILED, "a conversation of %d turns: out of memory", m->count);
  for (int i = 0; i < m->count; i++) list[i] = (tern_chat_message){roles[m->list[i].role], m->list[i].text};
  int status = in_template(chat, list, m->count, text, e);
  free(list);
  return status;
}

int tern_messages_text(const tern_messages *m, const tern_chat_template *chat, bool turns, char **text, tern_error *e) {
  if (chat != NULL && turns) return as_turns(m, chat, text, e);
  bool system = chat != NULL && m->count > 0 && m->list[0].role == TERN_SYSTEM;
  char *all = joined(m, system, e);
  if (all == NULL || chat == NULL) {
    *text = all;
    return all != NULL ? 0 : TERN_FAILED;
  }
  const tern_chat_message list[] = {{"system", system ? m->list[0].text : NULL}, {"user", all}};
  int status = in_template(chat, system ? list : list + 1, 1 + system, text, e);
  free(all);
  return status;
}
