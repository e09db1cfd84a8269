/* The meters that are open side by side: shared by opening (energy.c), windows
 * (meter_window.c) and marker loads (meter_marker.c). */
#ifndef TERN_HARNESS_METER_LIST_H
#define TERN_HARNESS_METER_LIST_H

#include <pthread.h>

#include "harness/meter.h"

enum { TERN_MOST_METERS = 16 };

struct tern_meters {
  tern_meter_options options;
  char root[512];
  tern_source *sources[TERN_MOST_METERS];
  int count, primary;

  /* The window. The lock guards the sources' sums and `open`. */
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t thread;
  bool open, thread_runs;
  tern_instant ends[TERN_MOST_METERS];
  double cost;
};

/* Prepares the lock; false when it can't be. */
bool tern_window_prepare(tern_meters *m);
void tern_window_dismiss(tern_meters *m); /* ends a window that is open */

#endif
