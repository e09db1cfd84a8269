/* Conversations as text by a row of chat_template_rows.c, and the choice of the
 * row by the marks in a file's own template. */
#include "engine/text/chat_template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "engine/text/chat_template_rows.h"

#define KEY "tokenizer.chat_template"

enum { SYSTEM, USER, ASSISTANT };
static const char *const roles[TERN_CHAT_ROLES] = {"system", "user", "assistant"};

typedef struct span {
  const char *text;
  size_t size;
} span;

/* ---- choice */

const tern_chat_template *tern_chat_template_at(int i) {
  return i >= 0 && i < tern_chat_template_count ? &tern_chat_templates[i] : NULL;
}

const tern_chat_template *tern_chat_template_find(const char *name) {
  for (int i = 0; i < tern_chat_template_count; i++)
    if (strcmp(tern_chat_templates[i].name, name) == 0) return &tern_chat_templates[i];
  return NULL;
}

const char *tern_chat_template_name(const tern_chat_template *t) {
  return t->name;
}

const char *const *tern_chat_stops(const tern_chat_template *t) {
  return t->stops;
}

static void list_names(char *out, size_t size) {
  size_t n = 0;
  for (int i = 0; i < tern_chat_template_count && n < size; i++)
    n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "", tern_chat_templates[i].name);
}

static bool fits(const tern_chat_template *row, const char *text, size_t size) {
  if (row->alone && memmem(text, size, row->alone, strlen(row->alone))) return true;
  if (!row->has[0]) return false;
  for (int i = 0; row->has[i]; i++)
    if (!memmem(text, size, row->has[i], strlen(row->has[i]))) return false;
  for (int i = 0; row->lacks[i]; i++)
    if (memmem(text, size, row->lacks[i], strlen(row->lacks[i]))) return false;
  return true;
}

int tern_chat_template_match(const char *text, size_t size, const char *where, const char *wanted,
                             const tern_chat_template **out, tern_error *e) {
  char names[400];
  list_names(names, sizeof names);
  *out = wanted ? tern_chat_template_find(wanted) : NULL;
  if (*out) return TERN_OK;
  if (wanted) return tern_fail(e, TERN_USAGE, "--template: \"%.40s\" is none of %s", wanted, names);
  if (!text)
    return tern_fail(e, TERN_FAILED, "%s: no chat template; choose one with --template NAME: %s", where, names);
  int found = 0;
  for (int i = 0; i < tern_chat_template_count; i++) {
    if (!fits(&tern_chat_templates[i], text, size)) continue;
    *out = &tern_chat_templates[i];
    found++;
  }
  if (found == 1) return TERN_OK;
  *out = NULL;
  return tern_fail(e, TERN_FAILED, "%s: its chat template is of no known family; choose one with --template NAME: %s",
                   where, names);
}

/* Whether the file's end of text is the one that the row writes; true where the file says nothing. */
static bool ends_alike(const tern_gguf *g, const tern_chat_template *row) {
  int64_t id, count;
  if (!row->eos || !tern_gguf_integer(g, "tokenizer.ggml.eos_token_id", &id)) return true;
  tern_gguf_string *texts = tern_gguf_texts(g, "tokenizer.ggml.tokens", &count);
  if (!texts) return true;
  bool alike = id >= 0 && id < count && texts[id].size == strlen(row->eos) &&
               memcmp(texts[id].data, row->eos, texts[id].size) == 0;
  free(texts);
  return alike;
}

int tern_chat_template_of(const tern_gguf *g, const char *wanted, const tern_chat_template **out, tern_error *e) {
  tern_gguf_string text = {NULL, 0};
  tern_gguf_text(g, KEY, &text);
  if (tern_chat_template_match(text.data, text.size, tern_gguf_name(g), wanted, out, e)) return (int)e->status;
  if (wanted || ends_alike(g, *out)) return TERN_OK;
  int status = tern_fail(e, TERN_FAILED,
                         "%s: its chat template is like \"%s\" but its turns end otherwise than with %s; choose one "
                         "with --template NAME",
                         tern_gguf_name(g), (*out)->name, (*out)->eos);
  *out = NULL;
  return status;
}

/* ---- contents */

/* What Python's str.isspace takes: separators, and the ASCII ones among controls. */
static bool is_space(utf8proc_int32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
  const utf8proc_property_t *p = utf8proc_get_property(c);
  return p->category == UTF8PROC_CATEGORY_ZS || p->bidi_class == UTF8PROC_BIDI_CLASS_WS ||
         p->bidi_class == UTF8PROC_BIDI_CLASS_B || p->bidi_class == UTF8PROC_BIDI_CLASS_S;
}

static span trim(span s) {
  utf8proc_int32_t c;
  for (utf8proc_ssize_t n; s.size > 0; s.text += n, s.size -= (size_t)n) {
    n = utf8proc_iterate((const utf8proc_uint8_t *)s.text, (utf8proc_ssize_t)s.size, &c);
    if (n < 1 || !is_space(c)) break;
  }
  while (s.size > 0) {
    size_t n = 1;
    while (n < 4 && n < s.size && ((unsigned char)s.text[s.size - n] & 0xc0) == 0x80) n++;
    const utf8proc_uint8_t *last = (const utf8proc_uint8_t *)s.text + s.size - n;
    if (utf8proc_iterate(last, (utf8proc_ssize_t)n, &c) != (utf8proc_ssize_t)n || !is_space(c)) break;
    s.size -= n;
  }
  return s;
}

static span without_newlines(span s, bool left, bool right) {
  while (left && s.size > 0 && *s.text == '\n') s.text++, s.size--;
  while (right && s.size > 0 && s.text[s.size - 1] == '\n') s.size--;
  return s;
}

static span last_after(span s, const char *mark) {
  size_t n = strlen(mark);
  for (const char *at; (at = memmem(s.text, s.size, mark, n));) s = (span){at + n, s.size - (size_t)(at - s.text) - n};
  return s;
}

/* An answer's thinking and the rest, as Qwen3's template takes them apart. */
static void split_thinking(span content, span *thinking, span *answer) {
  const char *end = memmem(content.text, content.size, "</think>", 8);
  *thinking = (span){"", 0};
  *answer = content;
  if (!end) return;
  *answer = without_newlines(last_after(content, "</think>"), true, false);
  span head = without_newlines((span){content.text, (size_t)(end - content.text)}, false, true);
  *thinking = without_newlines(last_after(head, "<think>"), true, true);
}

/* ---- formatting */

typedef struct writer {
  const tern_chat_template *t;
  FILE *out;
  const tern_chat_message *messages;
  int count, last_question; /* the last user message that is no tool's */
} writer;

static void put(const writer *w, const char *text) {
  if (text) fputs(text, w->out);
}

static void put_span(const writer *w, span s) {
  fwrite(s.text, 1, s.size, w->out);
}

static int role_of(const tern_chat_message *m) {
  for (int i = 0; i < TERN_CHAT_ROLES; i++)
    if (strcmp(m->role, roles[i]) == 0) return i;
  return -1;
}

static bool is_tool_answer(const char *text) {
  static const char head[] = "<tool_response>", tail[] = "</tool_response>";
  size_t n = strlen(text);
  return strncmp(text, head, sizeof head - 1) == 0 && n >= sizeof tail - 1 &&
         strcmp(text + n - (sizeof tail - 1), tail) == 0;
}

static void put_qwen3_answer(const writer *w, int i, span content) {
  span thinking, answer;
  split_thinking(content, &thinking, &answer);
  if (i > w->last_question && (i == w->count - 1 || thinking.size > 0)) {
    put(w, "<think>\n");
    put_span(w, thinking);
    put(w, "\n</think>\n\n");
    answer = without_newlines(answer, true, false);
  }
  put_span(w, answer);
}

/* The first user's text behind the folded system's. */
static void put_folded(const writer *w, span system, span content) {
  const char *const *fold = w->t->fold;
  bool whole = w->t->rules & TERN_CHAT_TRIM_FOLDED;
  char *text = NULL;
  size_t size;
  FILE *joined = open_memstream(&text, &size);
  if (!joined) return;
  fprintf(joined, "%s%.*s%s%.*s", fold[0], (int)system.size, system.text, fold[1], (int)content.size, content.text);
  if (fclose(joined) == 0) put_span(w, whole ? trim((span){text, size}) : (span){text, size});
  free(text);
}

static void put_turn(const writer *w, int i, span folded) {
  const tern_chat_template *t = w->t;
  int role = role_of(&w->messages[i]);
  const tern_chat_turn *turn = &t->turns[role];
  span content = {w->messages[i].content, strlen(w->messages[i].content)};
  if (role == SYSTEM && content.size == 0 && (t->rules & TERN_CHAT_SKIP_EMPTY)) return;
  if ((t->rules & TERN_CHAT_TRIM) && !(folded.text && (t->rules & TERN_CHAT_TRIM_FOLDED))) content = trim(content);
  if (role == ASSISTANT && (t->rules & TERN_CHAT_ANSWER_ONLY)) content = last_after(content, "</think>");
  put(w, turn->before);
  if (folded.text)
    put_folded(w, folded, content);
  else if (role == ASSISTANT && (t->rules & TERN_CHAT_QWEN3))
    put_qwen3_answer(w, i, content);
  else
    put_span(w, content);
  bool last = role == ASSISTANT && i == w->count - 1;
  put(w, last && t->last_answer_after ? t->last_answer_after : turn->after);
}

static int check(const tern_chat_template *t, const tern_chat_message *messages, int count, tern_error *e) {
  if (count < 1) return tern_fail(e, TERN_FAILED, "a conversation needs at least one message");
  int first = strcmp(messages[0].role, roles[SYSTEM]) == 0;
  for (int i = 0; i < count; i++) {
    int role = role_of(&messages[i]);
    if (role < 0)
      return tern_fail(e, TERN_FAILED, "message %d: role \"%.40s\" is none of system, user, assistant", i + 1,
                       messages[i].role);
    if (role == SYSTEM && i > 0)
      return tern_fail(e, TERN_FAILED, "message %d: a system message can only be the first", i + 1);
    if (role == SYSTEM && !t->turns[SYSTEM].before && !(t->rules & TERN_CHAT_FOLD))
      return tern_fail(e, TERN_FAILED, "the chat template \"%s\" has no system message: say it in the first question",
                       t->name);
    if ((t->rules & TERN_CHAT_ALTERNATE) && i >= first && (role == USER) != ((i - first) % 2 == 0))
      return tern_fail(e, TERN_FAILED,
                       "message %d: in the chat template \"%s\" user and assistant take turns, user first", i + 1,
                       t->name);
  }
  if (first && count == 1 && (t->rules & TERN_CHAT_FOLD))
    return tern_fail(e, TERN_FAILED,
                     "the chat template \"%s\" puts the system message into the first question: there is none",
                     t->name);
  return TERN_OK;
}

static void put_all(writer *w, bool generation_prompt) {
  const tern_chat_template *t = w->t;
  bool system = role_of(&w->messages[0]) == SYSTEM, fold = system && (t->rules & TERN_CHAT_FOLD);
  w->last_question = w->count - 1;
  for (int i = w->count - 1; i >= 0; i--) {
    if (role_of(&w->messages[i]) != USER || is_tool_answer(w->messages[i].content)) continue;
    w->last_question = i;
    break;
  }
  if (!system) put(w, t->opening);
  for (int i = fold; i < w->count; i++) {
    span folded = {NULL, 0};
    if (fold && i == 1) folded = (span){w->messages[0].content, strlen(w->messages[0].content)};
    put_turn(w, i, folded);
  }
  put(w, generation_prompt ? t->prompt : t->no_prompt);
}

int tern_chat_format(const tern_chat_template *t, const tern_chat_message *messages, int count, bool generation_prompt,
                     char **text, tern_error *e) {
  size_t size = 0;
  *text = NULL;
  if (check(t, messages, count, e)) return TERN_FAILED;
  writer w = {.t = t, .messages = messages, .count = count, .out = open_memstream(text, &size)};
  if (w.out) put_all(&w, generation_prompt);
  bool failed = !w.out || ferror(w.out);
  if (w.out && fclose(w.out) != 0) failed = true;
  if (failed) {
    free(*text);
    *text = NULL;
    return tern_fail(e, TERN_FAILED, "not enough memory for a conversation of %d messages", count);
  }
  size_t bos = t->bos ? strlen(t->bos) : 0;
  if (bos && strncmp(*text, t->bos, bos) == 0) memmove(*text, *text + bos, size + 1 - bos);
  return TERN_OK;
}
