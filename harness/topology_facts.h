/* The shape of the machine in lists: caches with who shares them, NUMA nodes,
 * kinds of cores; CPUs are those that this process may use. */
#ifndef TERN_HARNESS_TOPOLOGY_FACTS_H
#define TERN_HARNESS_TOPOLOGY_FACTS_H

#include <stddef.h>

#include <jansson.h>

#include "engine/base/error.h"

enum { TERN_MOST_CACHES = 10, TERN_MOST_NODES = 64, TERN_MOST_KINDS = 8, TERN_CPU_LIST = 128 };

typedef struct tern_cache_fact {
  char name[8]; /* "L1d", "L1i", "L2", "L3" */
  size_t bytes; /* of one */
  int count;    /* that allowed CPUs reach */
  int cpus;     /* that share one, on the whole machine */
} tern_cache_fact;

typedef struct tern_topology_facts {
  tern_cache_fact caches[TERN_MOST_CACHES];
  int cache_count;
  struct {
    unsigned number; /* OS number */
    size_t bytes;
    char cpus[TERN_CPU_LIST];
  } nodes[TERN_MOST_NODES];
  int node_count;
  struct {
    char cpus[TERN_CPU_LIST];
    char what[64];  /* "IntelCore", "capacity 1024"; may be empty */
    int efficiency; /* higher is faster; -1: hwloc can't rank */
  } kinds[TERN_MOST_KINDS];
  int kind_count;
  int smt; /* most CPUs of a core */
  char allowed[TERN_CPU_LIST];
} tern_topology_facts;

int tern_topology_facts_probe(tern_topology_facts *f, tern_error *e);
json_t *tern_topology_facts_json(const tern_topology_facts *f);

#endif
