/* What the PAPI library here is made of. */
#ifndef TERN_HARNESS_PAPI_COMPONENTS_H
#define TERN_HARNESS_PAPI_COMPONENTS_H

#include <stdbool.h>

/* Starts PAPI once a process; false: it does not start. Its components for GPUs
 * stay off: no figure here needs them, and ROCm's library writes to stderr
 * where there is no such GPU. */
bool tern_papi_start(void);

typedef struct tern_papi_component {
  char name[64], version[32];
  int native_events;  /* that it knows; knowing is not counting */
  char disabled[256]; /* why it is off; empty: it is on */
} tern_papi_component;

/* Fills at most `room` of them; their number, 0 where PAPI does not start.
 * Some components make themselves ready only now. */
int tern_papi_components(tern_papi_component *list, int room);

#endif
