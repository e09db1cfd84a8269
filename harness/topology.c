/* The machine's shape through hwloc, cut to the CPUs this process may use
 * (hwloc's list of core kinds is not). The XML goes into results, so what
 * names the very machine is blanked. */
#include <hwloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "harness/machine.h"

/* Infos of the root object that identify a machine or its user. */
static bool identifies(const char *name) {
  static const char *const words[] = {"HostName", "ProcessName", "Cgroup", "Serial", "UUID", "AssetTag"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strstr(name, words[i])) return true;
  return false;
}

static char *export_xml(hwloc_topology_t topology) {
  hwloc_obj_t root = hwloc_get_root_obj(topology);
  for (unsigned i = 0; i < root->infos_count; i++)
    if (identifies(root->infos[i].name)) root->infos[i].value[0] = '\0';
  char *xml, *copy = NULL;
  int size;
  if (hwloc_topology_export_xmlbuffer(topology, &xml, &size, 0) != 0) return NULL;
  if (size > 0) copy = strndup(xml, (size_t)size);
  hwloc_free_xmlbuffer(topology, xml);
  return copy;
}

static size_t cache_bytes(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_const_cpuset_t allowed, bool all) {
  size_t sum = 0;
  for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(topology, type, o));) {
    if (!hwloc_bitmap_intersects(o->cpuset, allowed)) continue;
    sum += o->attr->cache.size;
    if (!all) break;
  }
  return sum;
}

typedef struct core {
  hwloc_obj_t object;
  int kind; /* rank of hwloc's CPU kind; higher is faster */
} core;

static int faster_first(const void *a, const void *b) {
  const core *x = a, *y = b;
  if (x->kind != y->kind) return y->kind - x->kind;
  return (int)x->object->logical_index - (int)y->object->logical_index;
}

/* Fills the order: the n-th allowed CPU of every core, n = 0, 1, ... */
static void order_cpus(tern_topology *t, const core *cores, int count, hwloc_const_cpuset_t allowed) {
  t->allowed_cores = count;
  t->allowed_cpus = 0;
  bool more = true;
  for (int nth = 0; more; nth++) {
    more = false;
    for (int c = 0; c < count; c++) {
      int seen = 0;
      for (int cpu = -1; (cpu = hwloc_bitmap_next(cores[c].object->cpuset, cpu)) >= 0;) {
        if (!hwloc_bitmap_isset(allowed, (unsigned)cpu) || seen++ != nth) continue;
        if (t->allowed_cpus < TERN_MOST_CPUS) t->order[t->allowed_cpus++] = cpu;
        more = true;
        break;
      }
    }
  }
}

static int list_cores(tern_topology *t, hwloc_topology_t topology, hwloc_const_cpuset_t allowed, tern_error *e) {
  core *cores = calloc((size_t)t->cores + 1, sizeof *cores);
  if (!cores) return tern_fail(e, TERN_FAILED, "topology: out of memory");
  int count = 0;
  for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, o)) && count < t->cores;) {
    if (!hwloc_bitmap_intersects(o->cpuset, allowed)) continue;
    cores[count].object = o;
    cores[count++].kind = hwloc_cpukinds_get_by_cpuset(topology, o->cpuset, 0);
  }
  qsort(cores, (size_t)count, sizeof *cores, faster_first);
  order_cpus(t, cores, count, allowed);
  free(cores);
  return 0;
}

/* CPUs by affinity alone, for machines whose cores hwloc can't see. */
static void order_by_affinity(tern_topology *t) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return;
  for (size_t cpu = 0; cpu < CPU_SETSIZE && t->allowed_cpus < TERN_MOST_CPUS; cpu++)
    if (CPU_ISSET(cpu, &set)) t->order[t->allowed_cpus++] = (int)cpu;
  t->allowed_cores = t->allowed_cpus;
}

int tern_topology_probe(tern_topology *t, char **xml, tern_error *e) {
  memset(t, 0, sizeof *t);
  *xml = NULL;
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) != 0 || hwloc_topology_load(topology) != 0)
    return tern_fail(e, TERN_FAILED, "hwloc cannot read this machine's topology");
  int bad = 0;
  hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
  if (hwloc_get_cpubind(topology, allowed, HWLOC_CPUBIND_PROCESS) != 0)
    hwloc_bitmap_copy(allowed, hwloc_topology_get_allowed_cpuset(topology));
  hwloc_bitmap_and(allowed, allowed, hwloc_topology_get_allowed_cpuset(topology));
  t->packages = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PACKAGE);
  t->cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
  t->cpus = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
  t->numa_nodes = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_NUMANODE);
  t->core_kinds = hwloc_cpukinds_get_nr(topology, 0);
  t->l1d = cache_bytes(topology, HWLOC_OBJ_L1CACHE, allowed, false);
  t->l2 = cache_bytes(topology, HWLOC_OBJ_L2CACHE, allowed, false);
  t->l3 = cache_bytes(topology, HWLOC_OBJ_L3CACHE, allowed, true);
  if (t->cores > 0) bad = list_cores(t, topology, allowed, e);
  if (t->allowed_cpus == 0) order_by_affinity(t);
  *xml = export_xml(topology);
  hwloc_bitmap_free(allowed);
  hwloc_topology_destroy(topology);
  return bad;
}
