/* Messages as {"ternmark_chat": 1, "messages": [{"role": ..., "content": ...}]}. */
#include "harness/conversation.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/base/file.h"

enum { SCHEMA = 1, FILE_LIMIT = 64 << 20 };
static const char *const roles[] = {"system", "user", "assistant"};

static const char *role_of(const char *name) {
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
    if (strcmp(roles[i], name) == 0) return roles[i];
  }
  return NULL;
}

void tern_conversation_clear(tern_conversation *c) {
  while (c->count > 0) tern_conversation_drop_last(c);
  free(c->messages);
  *c = (tern_conversation){0};
}

int tern_conversation_add(tern_conversation *c, const char *role, const char *text, size_t size, tern_error *e) {
  if (c->count == c->room) {
    int room = c->room > 0 ? 2 * c->room : 16;
    tern_chat_message *more = realloc(c->messages, (size_t)room * sizeof *more);
    if (more == NULL) return tern_fail(e, TERN_FAILED, "conversation: out of memory");
    c->messages = more;
    c->room = room;
  }
  char *content = strndup(text, size);
  if (content == NULL) return tern_fail(e, TERN_FAILED, "conversation: out of memory");
  c->messages[c->count++] = (tern_chat_message){role_of(role), content};
  return TERN_OK;
}

void tern_conversation_drop_last(tern_conversation *c) {
  free((void *)(uintptr_t)c->messages[--c->count].content);
}

int tern_conversation_save(const tern_conversation *c, const char *path, tern_error *e) {
  json_t *list = json_array();
  for (int i = 0; i < c->count; i++) {
    json_t *m = json_pack("{s:s, s:s}", "role", c->messages[i].role, "content", c->messages[i].content);
    if (m == NULL) {
      json_decref(list);
      return tern_fail(e, TERN_FAILED, "%s: message %d is not UTF-8 and cannot be saved", path, i + 1);
    }
    json_array_append_new(list, m);
  }
  json_t *root = json_pack("{s:i, s:o}", "ternmark_chat", SCHEMA, "messages", list);
  tern_output *out;
  int status = tern_output_open(&out, path, e);
  if (status == TERN_OK) {
    bool fine = json_dumpf(root, tern_output_stream(out), JSON_INDENT(1) | JSON_PRESERVE_ORDER) == 0;
    fputc('\n', tern_output_stream(out));
    if (fine) {
      status = tern_output_commit(out, e);
    } else {
      tern_output_abandon(out);
      status = tern_fail(e, TERN_FAILED, "%s: cannot write the conversation", path);
    }
  }
  json_decref(root);
  return status;
}

static int read_messages(tern_conversation *c, json_t *list, const char *path, tern_error *e) {
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    const char *role = json_string_value(json_object_get(item, "role"));
    json_t *content = json_object_get(item, "content");
    if (role == NULL || role_of(role) == NULL || !json_is_string(content))
      return tern_fail(e, TERN_FAILED, "%s: message %zu has no role and content of a conversation", path, i + 1);
    if (tern_conversation_add(c, role, json_string_value(content), json_string_length(content), e) != TERN_OK)
      return TERN_FAILED;
  }
  return TERN_OK;
}

int tern_conversation_load(tern_conversation *c, const char *path, tern_error *e) {
  size_t size;
  char *text = tern_file_read(path, FILE_LIMIT, &size, e);
  if (text == NULL) return TERN_FAILED;
  json_error_t wrong;
  json_t *root = json_loadb(text, size, 0, &wrong);
  free(text);
  json_t *list = json_object_get(root, "messages");
  tern_conversation read = {0};
  int status = TERN_OK;
  if (!json_is_array(list) || json_integer_value(json_object_get(root, "ternmark_chat")) != SCHEMA)
    status = tern_fail(e, TERN_FAILED, "%s: not a saved conversation", path);
  if (status == TERN_OK) status = read_messages(&read, list, path, e);
  json_decref(root);
  tern_conversation *gone = status == TERN_OK ? c : &read;
  tern_conversation_clear(gone);
  if (status == TERN_OK) *c = read;
  return status;
}
