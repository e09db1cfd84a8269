/* What disturbed a repetition: read before and after, judged by what the kernel
 * counted and never by the time it took, so that repeating does not pick fast
 * runs. Nothing is required: what a kernel does not tell stays out. */
#ifndef TERN_HARNESS_INTERFERENCE_H
#define TERN_HARNESS_INTERFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum tern_disturbance {
  TERN_BY_STEAL,           /* ticks that the hypervisor kept from our CPUs */
  TERN_BY_WAITING,         /* ns that our threads were ready and did not run */
  TERN_BY_SWITCHES,        /* involuntary context switches of our threads */
  TERN_BY_FAULTS,          /* major page faults of our process */
  TERN_BY_FREQUENCY,       /* kHz, mean of our CPUs */
  TERN_BY_HEAT,            /* thermal throttle events of our CPUs */
  TERN_BY_QUOTA,           /* periods in which the control group was throttled */
  TERN_BY_CPU_PRESSURE,    /* us in which some task of the machine waited for a CPU */
  TERN_BY_MEMORY_PRESSURE, /* ... for memory */
  TERN_BY_IO_PRESSURE,     /* ... for a disk */
  TERN_DISTURBANCES
} tern_disturbance;

typedef struct tern_interference {
  int64_t values[TERN_DISTURBANCES]; /* -1: not told */
} tern_interference;

typedef struct tern_interference_source {
  const char *root; /* holds proc and sys: "" for the machine's own */
  pid_t pid;        /* whose threads; 0: this process */
  const int *cpus;  /* OS numbers they are bound to */
  int cpu_count;    /* 0: all CPUs, and frequency and heat of CPU 0 */
} tern_interference_source;

/* "steal", "waiting", "switches", ... */
const char *tern_disturbance_name(tern_disturbance d);
/* What the figure must exceed to mark a repetition, in words. */
const char *tern_disturbance_rule(tern_disturbance d);

void tern_interference_read(tern_interference *out, const tern_interference_source *s);

/* Bits 1 << tern_disturbance over the rule's limits, for a repetition of so
 * many seconds on so many threads; 0: undisturbed. */
unsigned tern_interference_judge(const tern_interference *before, const tern_interference *after, double seconds,
                                 int threads);

/* "steal+waiting"; "" for none. Cut at a name that does not fit. */
void tern_interference_text(unsigned marks, char *text, size_t size);

/* Whether to take a marked block again: all its engines, so that they stay
 * neighbours in time. On a machine that is never quiet at most two blocks and
 * a quarter of those taken are repeated; the rest are kept with their marks. */
bool tern_interference_repeat(unsigned marks, int taken, int repeated);

#endif
