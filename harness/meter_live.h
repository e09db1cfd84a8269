/* Live meters: lines that end in watts, from a descriptor, each stamped as it
 * comes by a thread. Shared by the kinds "command" and "serial". */
#ifndef TERN_HARNESS_METER_LIVE_H
#define TERN_HARNESS_METER_LIVE_H

#include <sys/types.h>

#include "harness/meter.h"

typedef struct tern_live tern_live;

/* Takes over the descriptor, and the process `pid` (0: none), which leads a
 * process group of its own and is ended with it. NULL with fact.why. */
tern_live *tern_live_open(tern_source *s, int file, pid_t pid);
void tern_live_begin(tern_source *s);
void tern_live_finish(tern_source *s, tern_instant end, tern_reading *out);
void tern_live_close(tern_source *s);
/* Lines that held a value, so far. */
size_t tern_live_values(const tern_source *s);
/* Whether the source has given its last line. */
bool tern_live_ended(const tern_source *s);

/* Watts of a line: its last number, with an ending unit (W, mW, kW) allowed. */
bool tern_live_parse(const char *line, double *watts);

#endif
