/* Events that take turns on the CPU's counters. PAPI 7.0 scales by whole
 * percents, gives the raw count of an event that never ran, and hides the
 * ratio; so these are the kernel's generic events, read with the time they were
 * enabled and the time they ran. */
#ifndef TERN_HARNESS_COUNTERS_MULTIPLEX_H
#define TERN_HARNESS_COUNTERS_MULTIPLEX_H

#include <stdbool.h>
#include <stdint.h>

/* What the kernel calls it (linux/perf_event.h); name NULL: it has none. */
typedef struct tern_generic_event {
  const char *name;
  uint32_t type;
  uint64_t config;
} tern_generic_event;

typedef struct tern_turn {
  int64_t value, enabled_ns, running_ns;
} tern_turn;

/* Counts the calling thread from now on; a file descriptor, or -1 with errno. */
int tern_turn_open(const tern_generic_event *event, bool kernel_too);
/* False where it cannot be read. */
bool tern_turn_read(int fd, tern_turn *out);

/* The window's count, scaled up to all of its time; -1 where the event never
 * ran in it. share: of the window's time that it ran. */
int64_t tern_turn_scale(const tern_turn *before, const tern_turn *after, double *share);

#endif
