/* Possible ends are looked at one by one, each with the word before and the token
 * behind; of several at one word (!!!) the last counts. What closes a quotation or
 * a bracket behind an end is moved to the sentence that it closes. */
#include "harness/eval/ifeval_punkt.h"

#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval_punkt_parts.h"
#include "harness/eval/python_text.h"

typedef struct spans {
  tern_punkt_span *list;
  size_t count, room;
} spans;

static int add(spans *s, size_t from, size_t to, tern_error *e) {
  if (s->count == s->room) {
    size_t room = 2 * s->room + 16;
    tern_punkt_span *list = realloc(s->list, room * sizeof *list);
    if (list == NULL) return tern_fail(e, TERN_FAILED, "Punkt: out of memory");
    s->list = list;
    s->room = room;
  }
  s->list[s->count++] = (tern_punkt_span){from, to};
  return 0;
}

/* A possible end: its word, its mark, what follows. */
typedef struct candidate {
  size_t word, mark, end, after, next; /* after: where what follows ends; next: the next token's place, 0: none */
} candidate;

/* Where the word before a mark begins: behind the last ASCII white space since `since`. */
static size_t word_start(const char *text, size_t since, size_t began, size_t mark) {
  for (size_t i = mark; i-- > since;) {
    if (strchr(" \t\n\r\v\f", text[i]) != NULL) return i == since ? began : i + 1;
  }
  return began;
}

static int try_end(const tern_punkt *p, const char *text, const candidate *c, spans *out, size_t *start,
                   tern_error *e) {
  bool ends = false;
  char *context = strndup(text + c->word, c->after - c->word);
  if (context == NULL) return tern_fail(e, TERN_FAILED, "Punkt: out of memory");
  int status = tern_punkt_ends_within(p, context, &ends, e);
  free(context);
  if (status != 0 || !ends) return status;
  status = add(out, *start, c->end, e);
  *start = c->next > 0 ? c->next : c->end;
  return status;
}

static size_t stripped_end(const char *text, size_t size) {
  size_t end = 0;
  for (size_t i = 0; i < size;) {
    int32_t c;
    i += tern_python_character(text + i, &c);
    if (!tern_python_is_space(c)) end = i;
  }
  return end;
}

/* Sentences before closing marks are moved. */
static int cut(const tern_punkt *p, const char *text, spans *out, tern_error *e) {
  candidate last = {0};
  size_t start = 0, from;
  bool any = false;
  int more, status = 0;
  tern_regex_walk w = tern_regex_start(p->ends, text);
  while ((more = tern_regex_next(&w, e)) > 0 && status == 0) {
    candidate now = {.mark = w.from, .end = w.to};
    tern_regex_group(&w, 1, &from, &now.after);
    if (!tern_regex_group(&w, 2, &now.next, &from)) now.next = 0;
    now.word = word_start(text, any ? last.mark : 0, any ? last.word : 0, now.mark);
    if (any && last.mark <= now.word) status = try_end(p, text, &last, out, &start, e);
    last = now;
    any = true;
  }
  if (more < 0) return (int)e->status;
  if (any && status == 0) status = try_end(p, text, &last, out, &start, e);
  size_t end = stripped_end(text, strlen(text));
  return status == 0 ? add(out, start, end > start ? end : start, e) : status;
}

/* Bytes of the closing marks at the head of a sentence, and of them with white space behind. */
static int closing(const tern_punkt *p, const char *text, tern_punkt_span s, size_t *marks, size_t *all,
                   tern_error *e) {
  char *sentence = strndup(text + s.from, s.to - s.from);
  if (sentence == NULL) return tern_fail(e, TERN_FAILED, "Punkt: out of memory");
  tern_regex_walk w = tern_regex_start(p->realigned, sentence);
  int more = tern_regex_next(&w, e);
  *all = more > 0 ? w.to : 0;
  *marks = stripped_end(sentence, *all);
  free(sentence);
  return more < 0 ? (int)e->status : 0;
}

static int realign(const tern_punkt *p, const char *text, const spans *in, spans *out, tern_error *e) {
  size_t moved = 0;
  int status = 0;
  for (size_t i = 0; i < in->count && status == 0; i++) {
    tern_punkt_span s = in->list[i];
    size_t marks = 0, all = 0;
    s.from += moved;
    if (i + 1 < in->count) status = closing(p, text, in->list[i + 1], &marks, &all, e);
    moved = all;
    if (all > 0) s.to = in->list[i + 1].from + marks;
    if (status == 0 && (all > 0 || s.from < s.to)) status = add(out, s.from, s.to, e);
  }
  return status;
}

int tern_punkt_sentences(const tern_punkt *p, const char *text, tern_punkt_span **list, size_t *count, tern_error *e) {
  spans raw = {NULL, 0, 0}, out = {NULL, 0, 0};
  int status = cut(p, text, &raw, e);
  if (status == 0) status = realign(p, text, &raw, &out, e);
  free(raw.list);
  *count = out.count;
  if (status == 0 && list != NULL)
    *list = out.list;
  else
    free(out.list);
  return status;
}
