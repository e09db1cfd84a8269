/* Where a team's threads run and where its memory lies: CPUs chosen through
 * hwloc among those that this process may use. A team of n threads takes the
 * first n CPUs of its policy's order, so a smaller team's CPUs are part of a
 * greater one's. */
#ifndef TERN_HARNESS_PLACEMENT_H
#define TERN_HARNESS_PLACEMENT_H

#include <hwloc.h>
#include <stdbool.h>

#include "engine/base/error.h"

/* Policies:
 *   "cores"    one thread a core, faster kinds first, then SMT siblings (what topology.order gives)
 *   "compact"  fill a core's siblings, then its cache, package, node before the next; faster kinds first
 *   "spread"   as far apart as the tree allows: packages, nodes, caches, cores in turn, then siblings
 *   "fast"     cores of the fastest kind only (P-cores), one thread a core
 *   "node:N"   CPUs of NUMA node N (its OS number), as "cores" orders them
 *   "cpus:LIST" OS numbers, rising: "0-3,8" */
enum { TERN_PLACEMENT_NAME = 32 };

typedef struct tern_placement tern_placement;

/* The topology with what this process may use; reads HWLOC_XMLFILE and
 * HWLOC_SYNTHETIC as hwloc does (then nothing is bound: it is not this machine). */
int tern_placement_open(tern_placement **out, tern_error *e);
/* The same with the control groups' files under `root` ("" or a fixture). */
int tern_placement_open_at(tern_placement **out, const char *root, tern_error *e);
void tern_placement_close(tern_placement *p); /* NULL allowed */
/* Whether the topology is this machine's: only then may threads be bound to
 * its CPUs (else give the team no CPUs). */
bool tern_placement_binds(const tern_placement *p);
/* Fills cpus[threads]. Refuses (one line) more threads than the policy's CPUs
 * or than the control group's quota: that would never be scaling. */
int tern_placement_cpus(const tern_placement *p, const char *policy, int threads, int *cpus, tern_error *e);
/* Threads that the policy has room for, 0 with the reason when the policy is
 * not known or has none. */
int tern_placement_room(const tern_placement *p, const char *policy, tern_error *e);

/* Binds what the calling thread, and threads that it starts from now on,
 * allocate; call it before the team is opened. `memory`: "local" (where it is first touched, the kernel's way),
 * "bind" (the NUMA nodes of the CPUs only) or "interleave" (page by page over
 * them). Does nothing with one node or a topology that is not this machine's. */
int tern_placement_bind_memory(const tern_placement *p, const int *cpus, int n, const char *memory, tern_error *e);

#endif
