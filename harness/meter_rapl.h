/* What RAPL's domains add up to, for powercap and perf alike. */
#ifndef TERN_HARNESS_METER_RAPL_H
#define TERN_HARNESS_METER_RAPL_H

#include "harness/meter.h"

/* Marks the channels that count: psys where one moves, else package and dram,
 * else package; or the domain that the user named. Watches them for it. False
 * with the reason in the fact. */
bool tern_rapl_choose(tern_source *s);

#endif
