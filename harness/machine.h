/* Facts about the machine, as far as this process may use it. Nothing is
 * changed; what can't be found out is 0 or an empty text. */
#ifndef TERN_HARNESS_MACHINE_H
#define TERN_HARNESS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "engine/base/error.h"
#include "harness/system.h"
#include "kernels/cpu.h"

enum { TERN_MOST_CPUS = 1024 };

typedef struct tern_topology {
  int packages, cores, cpus, numa_nodes; /* of the whole machine, as the kernel shows it */
  int allowed_cpus, allowed_cores;       /* this process may run on */
  /* OS numbers of the allowed CPUs in the order threads take them: one of each
   * core first, faster kinds of cores before slower, then the siblings. */
  int order[TERN_MOST_CPUS];
  size_t l1d, l2, l3; /* bytes: of one core's L1d and L2; all allowed L3 together */
  int core_kinds;     /* 2 on hybrid CPUs */
  bool described; /* HWLOC_XMLFILE or HWLOC_SYNTHETIC: another machine's shape; order and allowed_* are this one's */
} tern_topology;

typedef struct tern_cgroup {
  double cpus;     /* quota in CPUs; 0: none */
  size_t memory;   /* limit in bytes; 0: none */
  char version[8]; /* "v1", "v2", "v1+v2": where groups were found; empty: nowhere */
  char cpuset[64]; /* CPUs of the nearest group that names them, "0-3"; empty: none does */
} tern_cgroup;

typedef struct tern_machine {
  tern_topology topology;
  char *topology_xml; /* hwloc's export, without host name and serial numbers */
  tern_cgroup cgroup;
  tern_system system;
  size_t memory_total, memory_available;
  char virtualisation[96]; /* what was seen; empty: no sign of it */
  char hypervisor[48];     /* that CPUID names; empty: none */
  char os[96];             /* "Linux 6.1.0 x86_64" */
} tern_machine;

int tern_machine_probe(tern_machine *m, tern_error *e);
/* The same with /proc and /sys under `root` ("" or a fixture); the topology
 * is hwloc's own affair. */
int tern_machine_probe_at(tern_machine *m, const char *root, tern_error *e);
void tern_machine_free(tern_machine *m);

int tern_topology_probe(tern_topology *t, char **xml, tern_error *e);
/* Tightest limits on the path from this process's groups to their roots
 * (v1 and v2). proc_cgroup: "/proc/self/cgroup"; root: "/sys/fs/cgroup". */
tern_cgroup tern_cgroup_probe(const char *proc_cgroup, const char *root);

/* Cores this process can use at the same time: allowed ones within the quota. */
int tern_machine_cores(const tern_machine *m);

/* Stolen ticks of all CPUs since boot (/proc/stat); -1: not told. */
int64_t tern_steal_ticks(void);

/* For the manifest and `machine --json`. */
json_t *tern_machine_json(const tern_machine *m);
json_t *tern_isa_json(void);

#endif
