/* Stop strings: what comes before the first one, however the text is cut, and
 * nothing that may still become one is given out early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/random.h"
#include "engine/generate/stops.h"

enum { MOST = 64 };

static uint64_t drawn;

static int random_to(int most) {
  return (int)(tern_random_at(4, 2, drawn++) % (uint64_t)(most + 1));
}

typedef struct written {
  char text[MOST + 1];
  size_t size;
} written;

static void put(void *arg, const char *text, size_t size) {
  written *w = arg;
  assert_true(w->size + size <= MOST);
  memcpy(w->text + w->size, text, size);
  w->size += size;
}

static void letters(char *to, int n) {
  for (int i = 0; i < n; i++) to[i] = (char)('a' + random_to(2));
  to[n] = 0;
}

/* Where the text ends: at the stop string that ends first, the longest of these. */
static bool cut(const char *text, const char *const *stops, int count, size_t *end) {
  for (size_t i = 1; i <= strlen(text); i++) {
    size_t longest = 0;
    for (int k = 0; k < count; k++) {
      size_t n = strlen(stops[k]);
      if (n <= i && n > longest && memcmp(text + i - n, stops[k], n) == 0) longest = n;
    }
    *end = i - longest;
    if (longest > 0) return true;
  }
  *end = strlen(text);
  return false;
}

/* Bytes at the end of `text` that begin a stop string. */
static size_t may_become(const char *text, size_t size, const char *const *stops, int count) {
  for (size_t left = size; left > 0; left--) {
    for (int k = 0; k < count; k++) {
      if (left < strlen(stops[k]) && memcmp(text + size - left, stops[k], left) == 0) return left;
    }
  }
  return 0;
}

static void pieces_do_not_show(void **state) {
  (void)state;
  int met = 0;
  for (int round = 0; round < 5000; round++) {
    char text[MOST + 1], stops[3][8];
    const char *list[] = {stops[0], stops[1], stops[2]};
    int count = random_to(3);
    for (int k = 0; k < count; k++) letters(stops[k], 1 + random_to(5));
    letters(text, random_to(MOST));
    tern_error e = {0};
    tern_stops *s;
    written w = {0};
    size_t end, given = 0;
    bool stopped = false, want = cut(text, list, count, &end);
    assert_int_equal(tern_stops_open(&s, list, count, &e), TERN_OK);
    while (!stopped && given < strlen(text)) {
      size_t n = (size_t)random_to(4);
      if (n > strlen(text) - given) n = strlen(text) - given;
      stopped = tern_stops_push(s, text + given, n, put, &w);
      given += n;
      if (!stopped) assert_int_equal(w.size, given - may_become(text, given, list, count));
    }
    if (!stopped) tern_stops_flush(s, put, &w);
    assert_int_equal(stopped, want);
    assert_int_equal(w.size, end);
    assert_memory_equal(w.text, text, end);
    tern_stops_close(s);
    met += stopped;
  }
  assert_true(met > 1000 && met < 4900);
}

static int bytes;

static void count_bytes(void *arg, const char *text, size_t size) {
  (void)arg;
  (void)text;
  bytes += (int)size;
}

static void a_long_piece_is_taken_whole(void **state) {
  (void)state;
  static char text[20000];
  const char *stops[] = {"end of it"};
  tern_error e = {0};
  tern_stops *s;
  memset(text, 'e', sizeof text);
  memcpy(text + 12285, "end of it", 9); /* over the border of what is looked at together */
  assert_int_equal(tern_stops_open(&s, stops, 1, &e), TERN_OK);
  assert_true(tern_stops_push(s, text, sizeof text, count_bytes, NULL));
  assert_int_equal(bytes, 12285);
  tern_stops_close(s);
}

static void an_empty_stop_string_is_refused(void **state) {
  (void)state;
  const char *stops[] = {"a", ""};
  tern_error e = {0};
  tern_stops *s;
  assert_int_equal(tern_stops_open(&s, stops, 2, &e), TERN_USAGE);
  assert_null(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pieces_do_not_show),
      cmocka_unit_test(a_long_piece_is_taken_whole),
      cmocka_unit_test(an_empty_stop_string_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
