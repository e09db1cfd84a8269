/* The fine-tuning task, which no training text has: lists put in order. The
 * kind holds the instruction, prompt the input, completion the output. */
#include <string.h>

#include "engine/train/mini/record.h"

enum { MOST = 4 };

static int larger(const int *list, int n) {
  int best = 0;
  for (int i = 1; i < n; i++)
    if (list[i] > list[best]) best = i;
  return best;
}

static void print_all(mini_text *t, const int *list, int n) {
  for (int i = 0; i < n; i++) mini_text_print(t, i ? " %d" : "%d", list[i]);
}

static void numbers(const mini_world *w, mini_draw *d, int *list, int n) {
  (void)w;
  mini_pick(d, list, n, 64);
  int from = mini_range(d, 2, 35);
  for (int i = 0; i < n; i++) list[i] += from;
}

static void sort(const mini_world *w, mini_draw *d, mini_record *r) {
  int list[MOST], n = mini_range(d, 2, MOST);
  numbers(w, d, list, n);
  print_all(&r->prompt, list, n);
  for (int left = n; left > 1; left--) {
    int at = larger(list, left), keep = list[at];
    list[at] = list[left - 1];
    list[left - 1] = keep;
  }
  print_all(&r->completion, list, n);
}

static void largest(const mini_world *w, mini_draw *d, mini_record *r) {
  int list[MOST], n = mini_range(d, 2, MOST);
  numbers(w, d, list, n);
  print_all(&r->prompt, list, n);
  mini_text_print(&r->completion, "%d", list[larger(list, n)]);
}

static void reverse(const mini_world *w, mini_draw *d, mini_record *r) {
  int list[MOST], n = mini_range(d, 2, MOST);
  mini_pick(d, list, n, w->names.rows);
  for (int i = 0; i < n; i++) {
    mini_text_print(&r->prompt, i ? " %s" : "%s", w->names.row[list[i]].field[0]);
    mini_text_print(&r->completion, i ? " %s" : "%s", w->names.row[list[n - 1 - i]].field[0]);
  }
}

static const struct {
  const char *instruction;
  void (*make)(const mini_world *w, mini_draw *d, mini_record *r);
} kinds[] = {{"Write the numbers from small to large.", sort},
             {"Say which number is the largest.", largest},
             {"Write the names from the last to the first.", reverse}};
enum { KINDS = sizeof kinds / sizeof *kinds };

bool mini_make_tune(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  int k = mini_below(d, KINDS);
  kinds[k].make(w, d, r);
  r->kind = kinds[k].instruction;
  return mini_pool_of(mini_hash(MINI_HASH, r->prompt.data)) == aim->pool;
}
