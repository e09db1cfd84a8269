/* Whether a sentence ends within a context of a word, its mark and the next
 * token: a first look at each token by itself, then a second at pairs. */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval_punkt_parts.h"
#include "harness/eval/python_text.h"

/* How words were seen in the texts that the tables come from: at the head of a
 * sentence, within, or unknown, in upper or lower case. */
enum { WITHIN_UPPER = 4, UPPER = 2 + 4 + 8, HEAD_LOWER = 16, LOWER = 16 + 32 + 64 };

typedef enum starts { NO, YES, UNSURE } starts;

typedef struct token {
  char *text, *type;
  bool period, initial, ends, abbreviation, ellipsis;
} token;
typedef struct tokens {
  token *list;
  size_t count, room;
} tokens;

static bool matches(const tern_regex *r, const char *text, tern_error *e) {
  tern_regex_walk w = tern_regex_start(r, text);
  return tern_regex_next(&w, e) > 0;
}

static bool first_is(const char *text, bool (*cased)(const char *)) {
  char one[8] = "";
  int32_t c;
  memcpy(one, text, tern_python_character(text, &c));
  return cased(one);
}

static bool ends_in_period(const char *s) {
  return *s != '\0' && s[strlen(s) - 1] == '.';
}

/* The type, without its period where it has more than that (free()). */
static char *bare(const char *type) {
  return strndup(type, strlen(type) - (strlen(type) > 1 && ends_in_period(type)));
}

/* Whether the word is an abbreviation, or its part behind the last hyphen is. */
static bool is_abbreviation(const tern_punkt *p, const char *low) {
  char word[256];
  size_t size = strlen(low) - 1;
  if (size >= sizeof word) return false; /* longer than any of the table's */
  memcpy(word, low, size);
  word[size] = '\0';
  const char *tail = strrchr(word, '-');
  return tern_punkt_find(p, TERN_PUNKT_ABBREVIATIONS, word) != NULL ||
         (tail != NULL && tern_punkt_find(p, TERN_PUNKT_ABBREVIATIONS, tail + 1) != NULL);
}

/* Takes over text; the first look. */
static int add(const tern_punkt *p, tokens *t, char *text, tern_error *e) {
  if (t->count == t->room) {
    size_t room = 2 * t->room + 8;
    token *list = realloc(t->list, room * sizeof *list);
    if (list == NULL) goto memory;
    t->list = list;
    t->room = room;
  }
  char *low = text == NULL ? NULL : tern_python_lower(text, e);
  if (low == NULL) goto memory;
  size_t dots = strspn(text, "."), size = strlen(text);
  token *k = &t->list[t->count++];
  *k = (token){.text = text, .type = low, .period = ends_in_period(text), .initial = matches(p->initial, text, e)};
  if (strcmp(text, ".") == 0 || strcmp(text, "?") == 0 || strcmp(text, "!") == 0)
    k->ends = true;
  else if (dots >= 2 && dots == size)
    k->ellipsis = true;
  else if (k->period && text[size - 2] != '.')
    k->ends = !(k->abbreviation = is_abbreviation(p, low));
  if (!matches(p->number, low, e)) return 0;
  free(low);
  return (k->type = strdup("##number##")) == NULL ? tern_fail(e, TERN_FAILED, "Punkt: out of memory") : 0;
memory:
  free(text);
  return tern_fail(e, TERN_FAILED, "Punkt: out of memory");
}

/* Tokens of each line of the context. */
static int cut(const tern_punkt *p, char *context, tokens *t, tern_error *e) {
  for (char *line = context, *end; line != NULL; line = end) {
    if ((end = strchr(line, '\n')) != NULL) *end++ = '\0';
    tern_regex_walk w = tern_regex_start(p->words, line);
    int more;
    while ((more = tern_regex_next(&w, e)) > 0) {
      if (add(p, t, strndup(line + w.from, w.to - w.from), e) != 0) return (int)e->status;
    }
    if (more < 0) return (int)e->status;
  }
  return 0;
}

/* Whether the token begins a sentence, by the case it has and was seen in. */
static starts starts_sentence(const token *k, unsigned seen) {
  if (strlen(k->text) == 1 && strchr(";:,.!?", *k->text) != NULL) return NO;
  if (first_is(k->text, tern_python_is_upper) && (seen & LOWER) && !(seen & WITHIN_UPPER)) return YES;
  if (first_is(k->text, tern_python_is_lower) && ((seen & UPPER) || !(seen & HEAD_LOWER))) return NO;
  return UNSURE;
}

/* The second look at a token that ends in a period. */
static int look_again(const tern_punkt *p, token *k, const token *next, tern_error *e) {
  char *type = bare(k->type), *next_type = next->ends ? bare(next->type) : strdup(next->type), *both = NULL;
  int status = 0;
  if (type == NULL || next_type == NULL || (both = malloc(strlen(type) + strlen(next_type) + 2)) == NULL) {
    status = tern_fail(e, TERN_FAILED, "Punkt: out of memory");
    goto out;
  }
  stpcpy(stpcpy(stpcpy(both, type), "\t"), next_type);
  const tern_punkt_line *found = tern_punkt_find(p, TERN_PUNKT_CASES, next_type);
  unsigned seen = found == NULL ? 0 : found->value;
  starts s = starts_sentence(next, seen);
  bool upper = first_is(next->text, tern_python_is_upper);
  if (tern_punkt_find(p, TERN_PUNKT_COLLOCATIONS, both) != NULL) {
    k->ends = false;
  } else if ((k->abbreviation || k->ellipsis) && !k->initial &&
             (s == YES || (upper && tern_punkt_find(p, TERN_PUNKT_STARTERS, next_type) != NULL))) {
    k->ends = true;
  } else if (k->initial || strcmp(type, "##number##") == 0) {
    if (s == NO || (s == UNSURE && k->initial && upper && !(seen & LOWER))) k->ends = false;
  }
out:
  free(type);
  free(next_type);
  free(both);
  return status;
}

int tern_punkt_ends_within(const tern_punkt *p, char *context, bool *ends, tern_error *e) {
  tokens t = {NULL, 0, 0};
  int status = cut(p, context, &t, e);
  *ends = false;
  for (size_t i = 0; i + 1 < t.count && status == 0 && !*ends; i++) {
    if (t.list[i].period) status = look_again(p, &t.list[i], &t.list[i + 1], e);
    *ends = t.list[i].ends;
  }
  for (size_t i = 0; i < t.count; i++) {
    free(t.list[i].text);
    free(t.list[i].type);
  }
  free(t.list);
  return status;
}
