/* Bytes at the memory controllers: column accesses of all channels of all
 * packages, 64 bytes each, through PAPI's perf_event_uncore. These belong to
 * the whole machine, never to a process. */
#ifndef TERN_HARNESS_COUNTERS_UNCORE_H
#define TERN_HARNESS_COUNTERS_UNCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tern_uncore tern_uncore;

/* NULL with the reason where they can't be read; PAPI must be initialised.
 * event: the channels' events, as "skx_unc_imc*::UNC_M_CAS_COUNT". */
tern_uncore *tern_uncore_open(char *event, size_t event_size, char *why, size_t why_size);
void tern_uncore_close(tern_uncore *u); /* NULL allowed */
/* Bytes read and written since it was opened; -1: cannot be read. */
int64_t tern_uncore_bytes(const tern_uncore *u);

/* Whether PAPI's event is a channel's count of column accesses. */
bool tern_uncore_is_cas(const char *event);

#endif
