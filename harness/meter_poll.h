/* Sources that are looked at: counters are added up over any number of wraps,
 * powers integrated; what can't be true is caught. */
#ifndef TERN_HARNESS_METER_POLL_H
#define TERN_HARNESS_METER_POLL_H

#include "harness/meter.h"

/* Longest time between two looks that leaves no wrap unseen; at most 10 s. */
double tern_poll_interval(const tern_source *s);

void tern_poll_start(tern_source *s, tern_instant at);
void tern_poll_take(tern_source *s, double now);
void tern_poll_finish(tern_source *s, double now, tern_reading *out);

/* Looks as fast as it can until every channel moved a few times or `limit` s
 * are over: fills moves, interval, step, why of the channels. */
void tern_poll_watch(tern_source *s, double limit);
/* interval and resolution of the fact, from the counted channels. */
void tern_poll_facts(tern_source *s);

#endif
