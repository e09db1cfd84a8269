/* Orders of the CPUs that a process may use: what the placement policies and
 * the plain topology are made of. */
#ifndef TERN_HARNESS_PLACEMENT_ORDER_H
#define TERN_HARNESS_PLACEMENT_ORDER_H

#include <hwloc.h>

#include "engine/base/error.h"

typedef struct tern_seat {
  int cpu;     /* OS number */
  int rank;    /* of its place in the tree, depth first */
  int sibling; /* 0: first allowed CPU of its core */
  int kind;    /* higher is faster; 0 where kinds can't be ranked */
  int turn;    /* of its core, when packages, nodes, caches, cores are taken in turn */
} tern_seat;

typedef struct tern_seats {
  tern_seat *list;
  int count, cores;
  int kinds; /* that allowed CPUs have; 1 where they can't be ranked */
} tern_seats;

/* The allowed CPUs of a loaded topology. */
int tern_seats_make(tern_seats *s, hwloc_topology_t topology, hwloc_const_cpuset_t allowed, tern_error *e);
void tern_seats_free(tern_seats *s);

/* For qsort over tern_seat. */
int tern_seat_by_core(const void *a, const void *b); /* one a core, fast kinds first, then siblings */
int tern_seat_compact(const void *a, const void *b); /* fast kinds first, then the tree's order */
int tern_seat_spread(const void *a, const void *b);  /* cores in turn, then siblings */
int tern_seat_by_number(const void *a, const void *b);

/* A topology loaded with everything in it, and the CPUs that this process may
 * use: the control group's and the affinity's, or all that is allowed in a
 * topology of another machine. Both are the caller's to destroy. */
int tern_topology_load(hwloc_topology_t *topology, hwloc_bitmap_t *allowed, tern_error *e);

#endif
