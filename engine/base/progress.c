/* A bar on stderr, for people: nothing is written unless stderr is a terminal. */
#include "engine/base/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };
static const double redraw_s = 0.1;

double tern_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void tern_progress_start(tern_progress *p, const char *label, double total) {
  *p = (tern_progress){.label = label, .total = total};
  p->start = tern_now();
  p->last = p->start;
}

void tern_progress_update(tern_progress *p, double done) {
  double now = tern_now();
  if (now - p->last < redraw_s || !(p->total > 0) || !isatty(STDERR_FILENO)) return;
  p->last = now;
  p->shown = 1;
  double share = done < 0 ? 0 : done > p->total ? 1 : done / p->total;
  char bar[BAR + 1];
  for (int i = 0; i < BAR; i++) bar[i] = (i + 0.5) / BAR < share ? '#' : '.';
  bar[BAR] = 0;
  fprintf(stderr, "\r\033[K%.40s [%s] %3.0f %%", p->label, bar, share * 100);
  if (share > 0.02) fprintf(stderr, "  %.0f s left", (now - p->start) * (1 - share) / share);
  fflush(stderr);
}

void tern_progress_end(tern_progress *p) {
  if (!p->shown) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  p->shown = 0;
}
