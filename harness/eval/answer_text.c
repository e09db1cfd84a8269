#include "harness/eval/answer_text.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

static void append(tern_answer_text *a, const char *text, size_t size) {
  if (a->size + size + 1 > a->room) {
    size_t room = 2 * (a->size + size) + 64;
    char *more = a->full ? NULL : realloc(a->text, room);
    a->full = more == NULL;
    if (more == NULL) return;
    a->text = more;
    a->room = room;
  }
  memcpy(a->text + a->size, text, size);
  a->size += size;
}

/* Whole characters. */
static void take(void *arg, const char *text, size_t size) {
  tern_answer_text *a = arg;
  for (size_t i = 0, n; i < size; i += n + 1) {
    n = strnlen(text + i, size - i);
    append(a, text + i, n);
    if (i + n == size) break;
    append(a, "\xef\xbf\xbd", 3);
    a->replaced++;
  }
}

static int full(const tern_answer_text *a, tern_error *e) {
  return a->full ? tern_fail(e, TERN_FAILED, "not enough memory for an answer of %zu bytes", a->size) : 0;
}

int tern_answer_text_put(void *arg, const char *text, size_t size, tern_error *e) {
  tern_answer_text *a = arg;
  a->stream.replace = true;
  tern_utf8_push(&a->stream, (tern_gguf_string){text, size}, take, a);
  return full(a, e);
}

char *tern_answer_text_finish(tern_answer_text *a, int *replaced, tern_error *e) {
  a->stream.replace = true;
  tern_utf8_flush(&a->stream, take, a);
  append(a, "", 0);
  if (full(a, e) != 0) {
    tern_answer_text_drop(a);
    return NULL;
  }
  char *text = a->text;
  text[a->size] = '\0';
  *replaced = a->replaced;
  *a = (tern_answer_text){0};
  return text;
}

void tern_answer_text_drop(tern_answer_text *a) {
  free(a->text);
  *a = (tern_answer_text){0};
}
