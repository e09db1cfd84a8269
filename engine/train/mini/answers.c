/* Counting by sorting. */
#include <stdlib.h>
#include <string.h>

#include "engine/train/mini/answers.h"

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_answer(const void *key, const void *b) {
  return strcmp(key, ((const struct mini_answer *)b)->text);
}

int mini_answers_count(mini_answers *a, const char **texts, size_t count, tern_error *e) {
  size_t best = 0;
  *a = (mini_answers){.list = calloc(count + 1, sizeof *a->list), .most = ""};
  if (!a->list) return tern_fail(e, TERN_FAILED, "counting answers: out of memory");
  qsort(texts, count, sizeof *texts, by_text);
  for (size_t i = 0; i < count; i++) {
    if (!a->count || strcmp(a->list[a->count - 1].text, texts[i]) != 0) a->list[a->count++].text = texts[i];
    struct mini_answer *last = &a->list[a->count - 1];
    if (++last->times > best) {
      best = last->times;
      a->most = last->text;
    }
  }
  return 0;
}

size_t mini_answers_times(const mini_answers *a, const char *text) {
  const struct mini_answer *found = bsearch(text, a->list, a->count, sizeof *a->list, by_answer);
  return found ? found->times : 0;
}

void mini_answers_close(mini_answers *a) {
  free(a->list);
  *a = (mini_answers){0};
}
