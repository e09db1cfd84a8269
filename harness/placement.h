/* Where a team's threads run: CPUs chosen through hwloc among those that this
 * process may use. */
#ifndef TERN_HARNESS_PLACEMENT_H
#define TERN_HARNESS_PLACEMENT_H

#include <hwloc.h>

#include "engine/base/error.h"

/* Policies:
 *   "cores"    one thread a core, faster kinds first, then SMT siblings (what topology.order gives)
 *   "compact"  fill a core's siblings, then its cache, package, node before the next
 *   "spread"   as far apart as the tree allows: packages, nodes, caches, cores in turn
 *   "fast"     cores of the fastest kind only (P-cores), one thread a core
 *   "node:N"   CPUs of one NUMA node
 *   "cpus:LIST" OS numbers, "0-3,8" */
enum { TERN_PLACEMENT_NAME = 32 };

typedef struct tern_placement tern_placement;

/* The topology with what this process may use; reads HWLOC_XMLFILE and
 * HWLOC_SYNTHETIC as hwloc does (then nothing is bound: it is not this machine). */
int tern_placement_open(tern_placement **out, tern_error *e);
void tern_placement_close(tern_placement *p); /* NULL allowed */
/* Fills cpus[threads]. Refuses (one line) more threads than the policy's CPUs
 * or than the control group's quota: that would never be scaling. */
int tern_placement_cpus(const tern_placement *p, const char *policy, int threads, int *cpus, tern_error *e);
/* CPUs that the policy has, 0 with the reason when the policy is not known. */
int tern_placement_room(const tern_placement *p, const char *policy, tern_error *e);

#endif
