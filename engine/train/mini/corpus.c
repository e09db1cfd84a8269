/* JSON lines through jansson, a record at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/base/file.h"
#include "engine/train/mini/corpus.h"

static char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return strdup(text ? text : "");
}

static const char *final_of(const char *completion) {
  const char *mark = strstr(completion, "#### ");
  return mark ? mark + strlen("#### ") : completion + strspn(completion, " ");
}

/* The prompt, "instruction\ninput\n" where a record has these, as training makes it. */
static char *prompt_of(const json_t *object) {
  const char *instruction = json_string_value(json_object_get(object, "instruction"));
  const char *input = json_string_value(json_object_get(object, "input"));
  char *prompt;
  if (!instruction) return text_of(object, "prompt");
  return asprintf(&prompt, "%s\n%s%s", instruction, input ? input : "", input && *input ? "\n" : "") < 0 ? NULL
                                                                                                         : prompt;
}

/* NULL, or what is wrong with the record. */
static const char *fill(mini_item *m, const json_t *object) {
  const bool ask = json_object_get(object, "instruction");
  const char *answer = ask ? "output" : "completion";
  const json_t *choices = json_object_get(object, "choices");
  *m = (mini_item){.prompt = prompt_of(object),
                   .completion = text_of(object, answer),
                   .task = text_of(object, "task"),
                   .kind = text_of(object, "kind"),
                   .tuple = text_of(object, "tuple"),
                   .composition = text_of(object, "composition")};
  if (!m->prompt || !m->completion || !m->task || !m->kind || !m->tuple || !m->composition) return "out of memory";
  m->final = final_of(m->completion);
  m->choices = (int)json_array_size(choices);
  m->answer = (int)json_integer_value(json_object_get(object, "answer"));
  if (m->choices > MINI_CHOICES) {
    m->choices = 0;
    return "more than four choices";
  }
  if (m->choices && (m->answer < 0 || m->answer >= m->choices)) {
    m->choices = 0;
    return "\"answer\" is no index of \"choices\"";
  }
  if (!json_is_string(json_object_get(object, answer)))
    return ask ? "\"output\" is no text" : "\"completion\" is no text";
  for (int i = 0; i < m->choices; i++) {
    const char *text = json_string_value(json_array_get(choices, (size_t)i));
    if (!(m->choice[i] = strdup(text ? text : ""))) return "out of memory";
  }
  return NULL;
}

static int add(mini_corpus *c, const char *path, int line, const char *text, size_t length, tern_error *e) {
  json_error_t bad;
  if (c->count == c->room) {
    size_t room = c->room ? 2 * c->room : 1024;
    mini_item *larger = reallocarray(c->item, room, sizeof *larger);
    if (!larger) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    c->item = larger;
    c->room = room;
  }
  json_t *object = json_loadb(text, length, 0, &bad);
  if (!json_is_object(object)) {
    json_decref(object);
    return tern_fail(e, TERN_FAILED, "%s: line %d is no JSON object: %s", path, line, bad.text);
  }
  const char *wrong = fill(&c->item[c->count++], object);
  json_decref(object);
  return wrong ? tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, line, wrong) : 0;
}

int mini_corpus_open(mini_corpus *c, const char *path, tern_error *e) {
  tern_map m;
  *c = (mini_corpus){0};
  int rc = tern_map_open(&m, path, e), line = 0;
  if (rc) return rc;
  for (size_t at = 0, end; at < m.size && rc == 0; at = end + 1) {
    const uint8_t *stop = memchr(m.data + at, '\n', m.size - at);
    end = stop ? (size_t)(stop - m.data) : m.size;
    line++;
    if (end > at) rc = add(c, path, line, (const char *)m.data + at, end - at, e);
  }
  tern_map_close(&m);
  if (rc) mini_corpus_close(c);
  return rc;
}

void mini_corpus_close(mini_corpus *c) {
  for (size_t i = 0; i < c->count; i++) {
    mini_item *m = &c->item[i];
    char *owned[] = {m->prompt, m->completion, m->task, m->kind, m->tuple, m->composition};
    for (size_t k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
    for (int k = 0; k < m->choices; k++) free(m->choice[k]);
  }
  free(c->item);
  *c = (mini_corpus){0};
}
