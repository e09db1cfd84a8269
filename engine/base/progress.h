/* Progress on stderr, only on a terminal: label, bar, percent, remaining time. */
#ifndef TERN_BASE_PROGRESS_H
#define TERN_BASE_PROGRESS_H

typedef struct tern_progress {
  const char *label;
  double total, start, last;
  int shown;
} tern_progress;

void tern_progress_start(tern_progress *p, const char *label, double total);
void tern_progress_update(tern_progress *p, double done); /* cheap: draws at most 10 times a second */
void tern_progress_end(tern_progress *p);                 /* clears the line */

/* Seconds of CLOCK_MONOTONIC. */
double tern_now(void);

#endif
