/* Stop strings by plain comparison: they are few and short. Invariant between
 * calls: `held` is the longest end of the text that begins a stop string. */
#include "engine/generate/stops.h"

#include <stdlib.h>
#include <string.h>

typedef struct stop {
  char *text;
  size_t size;
} stop;

enum { PIECE = 4096 }; /* bytes taken at once */

struct tern_stops {
  stop *stops;
  int count;
  char *held; /* [longest stop + PIECE] */
  size_t size;
};

int tern_stops_open(tern_stops **out, const char *const *texts, int count, tern_error *e) {
  *out = NULL;
  tern_stops *s = calloc(1, sizeof *s);
  if (s != NULL) s->stops = calloc((size_t)count + 1, sizeof *s->stops);
  if (s == NULL || s->stops == NULL) goto memory;
  size_t longest = 0;
  for (; s->count < count; s->count++) {
    stop *to = &s->stops[s->count];
    to->size = strlen(texts[s->count]);
    if (to->size == 0) {
      tern_stops_close(s);
      return tern_fail(e, TERN_USAGE, "a stop string is empty");
    }
    to->text = strdup(texts[s->count]);
    if (to->text == NULL) goto memory;
    if (to->size > longest) longest = to->size;
  }
  s->held = malloc(longest + PIECE);
  if (s->held == NULL) goto memory;
  *out = s;
  return TERN_OK;

memory:
  tern_stops_close(s);
  return tern_fail(e, TERN_FAILED, "not enough memory for %d stop strings", count);
}

void tern_stops_close(tern_stops *s) {
  if (s == NULL) return;
  for (int i = 0; s->stops != NULL && i < s->count; i++) free(s->stops[i].text);
  free(s->stops);
  free(s->held);
  free(s);
}

/* Bytes of the longest stop string that ends at held[end - 1], 0: none. */
static size_t complete(const tern_stops *s, size_t end) {
  size_t longest = 0;
  for (int i = 0; i < s->count; i++) {
    size_t n = s->stops[i].size;
    if (n > longest && n <= end && memcmp(s->held + end - n, s->stops[i].text, n) == 0) longest = n;
  }
  return longest;
}

/* Length of the longest end of `held` that begins a stop string. */
static size_t begun(const tern_stops *s) {
  for (size_t start = 0; start < s->size; start++) {
    size_t left = s->size - start;
    for (int i = 0; i < s->count; i++) {
      if (left < s->stops[i].size && memcmp(s->held + start, s->stops[i].text, left) == 0) return left;
    }
  }
  return 0;
}

static void pass(tern_stops *s, size_t size, tern_stops_put put, void *arg) {
  if (size > 0) put(arg, s->held, size);
  s->size -= size;
  memmove(s->held, s->held + size, s->size);
}

static bool push_piece(tern_stops *s, const char *text, size_t size, tern_stops_put put, void *arg) {
  size_t first = s->size;
  memcpy(s->held + s->size, text, size);
  s->size += size;
  for (size_t end = first + 1; end <= s->size; end++) {
    size_t length = complete(s, end);
    if (length == 0) continue;
    pass(s, end - length, put, arg);
    s->size = 0;
    return true;
  }
  pass(s, s->size - begun(s), put, arg);
  return false;
}

bool tern_stops_push(tern_stops *s, const char *text, size_t size, tern_stops_put put, void *arg) {
  for (size_t n; size > 0; text += n, size -= n) {
    n = size < PIECE ? size : PIECE;
    if (push_piece(s, text, n, put, arg)) return true;
  }
  return false;
}

void tern_stops_flush(tern_stops *s, tern_stops_put put, void *arg) {
  pass(s, s->size, put, arg);
}
