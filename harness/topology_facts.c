/* Lists from hwloc's objects and CPU kinds. */
#include "harness/topology_facts.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness/placement_order.h"

static void add_caches(tern_topology_facts *f, hwloc_topology_t topology, hwloc_const_cpuset_t allowed,
                       hwloc_obj_type_t type) {
  for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(topology, type, o));) {
    if (!hwloc_bitmap_intersects(o->cpuset, allowed)) continue;
    char name[8];
    hwloc_obj_type_snprintf(name, sizeof name, o, 0);
    size_t bytes = o->attr->cache.size;
    int cpus = hwloc_bitmap_weight(o->cpuset), i = 0;
    for (; i < f->cache_count; i++) { /* hybrid CPUs have a level in several sizes */
      const tern_cache_fact *c = &f->caches[i];
      if (strcmp(c->name, name) == 0 && c->bytes == bytes && c->cpus == cpus) break;
    }
    if (i == TERN_MOST_CACHES) continue;
    if (i == f->cache_count) {
      f->caches[f->cache_count++] = (tern_cache_fact){.bytes = bytes, .cpus = cpus};
      memcpy(f->caches[i].name, name, sizeof name);
    }
    f->caches[i].count++;
  }
}

static void list_cpus(char *out, hwloc_const_bitmap_t cpus, hwloc_const_cpuset_t allowed) {
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  out[0] = '\0';
  if (!set) return;
  hwloc_bitmap_and(set, cpus, allowed);
  hwloc_bitmap_list_snprintf(out, TERN_CPU_LIST, set);
  hwloc_bitmap_free(set);
}

static void add_nodes(tern_topology_facts *f, hwloc_topology_t topology, hwloc_const_cpuset_t allowed) {
  for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, o));) {
    if (f->node_count == TERN_MOST_NODES) return;
    f->nodes[f->node_count].number = o->os_index;
    f->nodes[f->node_count].bytes = (size_t)o->attr->numanode.local_memory;
    list_cpus(f->nodes[f->node_count++].cpus, o->cpuset, allowed);
  }
}

static void describe_kind(char *out, size_t size, unsigned count, const struct hwloc_info_s *infos) {
  static const struct {
    const char *name, *format;
  } told[] = {{"CoreType", "%s"}, {"LinuxCapacity", "capacity %s"}, {"FrequencyMaxMHz", "up to %s MHz"}};
  out[0] = '\0';
  for (size_t t = 0; t < sizeof told / sizeof *told; t++)
    for (unsigned i = 0; i < count; i++) {
      if (strcmp(infos[i].name, told[t].name) != 0) continue;
      size_t used = strlen(out);
      used += (size_t)snprintf(out + used, size - used, "%s", used ? ", " : "");
      if (used < size) snprintf(out + used, size - used, told[t].format, infos[i].value);
    }
}

static void add_kinds(tern_topology_facts *f, hwloc_topology_t topology, hwloc_const_cpuset_t allowed) {
  int count = hwloc_cpukinds_get_nr(topology, 0);
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  for (int k = 0; set && k < count && f->kind_count < TERN_MOST_KINDS; k++) {
    unsigned infos_count = 0;
    struct hwloc_info_s *infos = NULL;
    int efficiency = -1;
    if (hwloc_cpukinds_get_info(topology, (unsigned)k, set, &efficiency, &infos_count, &infos, 0) != 0) continue;
    if (!hwloc_bitmap_intersects(set, allowed)) continue;
    f->kinds[f->kind_count].efficiency = efficiency;
    describe_kind(f->kinds[f->kind_count].what, sizeof f->kinds->what, infos_count, infos);
    list_cpus(f->kinds[f->kind_count++].cpus, set, allowed);
  }
  hwloc_bitmap_free(set);
}

int tern_topology_facts_probe(tern_topology_facts *f, tern_error *e) {
  static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L1ICACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE,
                                           HWLOC_OBJ_L4CACHE};
  hwloc_topology_t topology;
  hwloc_bitmap_t allowed;
  memset(f, 0, sizeof *f);
  if (tern_topology_load(&topology, &allowed, e)) return (int)e->status;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) add_caches(f, topology, allowed, types[i]);
  add_nodes(f, topology, allowed);
  add_kinds(f, topology, allowed);
  for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, o));) {
    int cpus = hwloc_bitmap_weight(o->cpuset);
    f->smt = cpus > f->smt ? cpus : f->smt;
  }
  list_cpus(f->allowed, allowed, allowed);
  hwloc_bitmap_free(allowed);
  hwloc_topology_destroy(topology);
  return 0;
}

json_t *tern_topology_facts_json(const tern_topology_facts *f) {
  json_t *caches = json_array(), *nodes = json_array(), *kinds = json_array();
  for (int i = 0; i < f->cache_count; i++)
    json_array_append_new(caches, json_pack("{s:s, s:I, s:i, s:i}", "name", f->caches[i].name, "bytes",
                                            (json_int_t)f->caches[i].bytes, "count", f->caches[i].count,
                                            "shared_by_cpus", f->caches[i].cpus));
  for (int i = 0; i < f->node_count; i++)
    json_array_append_new(nodes, json_pack("{s:i, s:I, s:s}", "node", (int)f->nodes[i].number, "bytes",
                                           (json_int_t)f->nodes[i].bytes, "cpus", f->nodes[i].cpus));
  for (int i = 0; i < f->kind_count; i++)
    json_array_append_new(kinds,
                          json_pack("{s:s, s:s, s:o}", "cpus", f->kinds[i].cpus, "what", f->kinds[i].what, "efficiency",
                                    f->kinds[i].efficiency < 0 ? json_null() : json_integer(f->kinds[i].efficiency)));
  return json_pack("{s:s, s:i, s:o, s:o, s:o}", "allowed", f->allowed, "cpus_per_core", f->smt, "caches", caches,
                   "nodes", nodes, "kinds", kinds);
}
