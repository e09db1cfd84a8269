/* The machine's shape through hwloc, and the CPUs of it that this process may
 * use (hwloc's list of core kinds has all). The XML goes into results, so what
 * names the very machine is blanked. */
#include <hwloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "harness/machine.h"
#include "harness/placement_order.h"

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

/* The order of this machine's CPUs, as the placement "cores" has it. */
static int order_cpus(tern_topology *t, hwloc_topology_t topology, hwloc_const_cpuset_t allowed, tern_error *e) {
  tern_seats seats;
  if (tern_seats_make(&seats, topology, allowed, e)) return (int)e->status;
  qsort(seats.list, (size_t)seats.count, sizeof *seats.list, tern_seat_by_core);
  t->allowed_cores = seats.cores;
  for (int i = 0; i < seats.count && i < TERN_MOST_CPUS; i++) t->order[t->allowed_cpus++] = seats.list[i].cpu;
  tern_seats_free(&seats);
  return 0;
}

/* CPUs by affinity alone: where hwloc describes another machine. */
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
  hwloc_bitmap_t allowed;
  if (tern_topology_load(&topology, &allowed, e)) return (int)e->status;
  int bad = 0;
  t->described = !hwloc_topology_is_thissystem(topology);
  t->packages = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PACKAGE);
  t->cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
  t->cpus = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
  t->numa_nodes = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_NUMANODE);
  t->core_kinds = hwloc_cpukinds_get_nr(topology, 0);
  t->l1d = cache_bytes(topology, HWLOC_OBJ_L1CACHE, allowed, false);
  t->l2 = cache_bytes(topology, HWLOC_OBJ_L2CACHE, allowed, false);
  t->l3 = cache_bytes(topology, HWLOC_OBJ_L3CACHE, allowed, true);
  if (!t->described) bad = order_cpus(t, topology, allowed, e);
  if (t->allowed_cpus == 0) order_by_affinity(t);
  *xml = export_xml(topology);
  hwloc_bitmap_free(allowed);
  hwloc_topology_destroy(topology);
  return bad;
}
