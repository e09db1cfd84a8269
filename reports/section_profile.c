/* Where the time of a call goes, from profile.csv of a run with --profile: the
 * operators of each engine by their share, all threads together. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/format.h"
#include "reports/sections.h"

enum { MOST = 32 };

typedef struct part {
  const char *name;
  double share;
} part;

/* Columns that tell one call from another. */
static const char *const keys[] = {"engine", "model", "placement", "workload", "threads"};
enum { KEYS = sizeof keys / sizeof *keys };

static bool same_call(const tern_table *t, int a, int b) {
  for (int k = 0; k < KEYS; k++)
    if (strcmp(tern_table_get(t, a, keys[k]), tern_table_get(t, b, keys[k])) != 0) return false;
  return true;
}

/* Rows of times alone, of all threads: counters slow the others down. */
static bool counts(const tern_table *t, int row) {
  return strcmp(tern_table_get(t, row, "member"), "all") == 0 && !*tern_table_get(t, row, "pass");
}

static int by_share(const void *a, const void *b) {
  const part *x = a, *y = b;
  return (x->share < y->share) - (x->share > y->share);
}

static void put_call(tern_doc *d, const tern_table *t, int first) {
  part parts[MOST];
  char text[600] = "";
  size_t n = 0;
  int count = 0;
  for (int row = first; row < tern_table_rows(t) && count < MOST; row++) {
    double share = tern_table_value(t, row, "share");
    if (counts(t, row) && same_call(t, first, row) && share > 0)
      parts[count++] = (part){tern_table_get(t, row, "operator"), share};
  }
  qsort(parts, (size_t)count, sizeof *parts, by_share);
  for (int i = 0; i < count && n < sizeof text; i++)
    n += (size_t)snprintf(text + n, sizeof text - n, "%s%.24s %.12s %%", i ? ", " : "", parts[i].name,
                          tern_format_number(parts[i].share * 100).text);
  const char *placement = tern_table_get(t, first, "placement");
  bool other = *placement && strcmp(placement, "cores") != 0;
  tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, first, "engine"));
  tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, first, "model"));
  tern_doc_cell(d, TERN_PLAIN, "%s%s%s", tern_table_get(t, first, "workload"), other ? ", " : "",
                other ? placement : "");
  tern_doc_cell(d, TERN_PLAIN, "%s", tern_table_get(t, first, "threads"));
  tern_doc_cell(d, TERN_PLAIN, "%s", text);
}

int tern_section_profile(tern_doc *d, const tern_results *r, tern_error *e) {
  static const tern_column columns[] = {
      {"Engine", false}, {"Model", false}, {"Workload", false}, {"Threads", true}, {"Share of the call", false}};
  char path[4096];
  tern_table *t = NULL;
  if (snprintf(path, sizeof path, "%s/profile.csv", r->dir) >= (int)sizeof path || access(path, F_OK) != 0) return 0;
  if (tern_table_read(&t, path, true, e)) return (int)e->status;
  tern_doc_heading(d, 3, "profile", "Where the time goes");
  tern_doc_table(d, "Operators of a call by their share of the threads' time; calls made after the blocks, no samples",
                 columns, 5, true);
  for (int row = 0; row < tern_table_rows(t); row++) {
    bool first = counts(t, row);
    for (int k = 0; k < row && first; k++) first = !counts(t, k) || !same_call(t, k, row);
    if (first) put_call(d, t, row);
  }
  tern_table_free(t);
  return 0;
}
