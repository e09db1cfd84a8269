/* The machine's facts as JSON, for the manifest and `ternmark machine --json`. */
#include "harness/machine.h"

#ifdef __aarch64__
#define ARCHITECTURE "aarch64"
#else
#define ARCHITECTURE "x86_64"
#endif

static json_t *text_or_null(const char *s) {
  return s && s[0] ? json_string(s) : json_null();
}

static json_t *size_or_null(size_t n) {
  return n ? json_integer((json_int_t)n) : json_null();
}

json_t *tern_isa_json(void) {
  json_t *list = json_array();
  for (int i = 0; i < TERN_ISA_COUNT; i++) {
    const char *why = tern_isa_reason((tern_isa)i);
    json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "name", tern_isa_name((tern_isa)i), "usable",
                                          tern_isa_usable((tern_isa)i), "why", text_or_null(why)));
  }
  return list;
}

static json_t *topology_json(const tern_topology *t) {
  json_t *order = json_array();
  for (int i = 0; i < t->allowed_cpus; i++) json_array_append_new(order, json_integer(t->order[i]));
  return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:o, s:o, s:o, s:o}", "packages", t->packages, "cores",
                   t->cores, "cpus", t->cpus, "numa_nodes", t->numa_nodes, "allowed_cpus", t->allowed_cpus,
                   "allowed_cores", t->allowed_cores, "core_kinds", t->core_kinds, "described", t->described,
                   "l1d_bytes", size_or_null(t->l1d), "l2_bytes", size_or_null(t->l2), "l3_bytes", size_or_null(t->l3),
                   "cpu_order", order);
}

json_t *tern_machine_json(const tern_machine *m) {
  const char *isa = tern_isa_name(tern_isa_best(TERN_ISA_COUNT));
  json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:i}", "cpu", tern_cpu_name(), "architecture", ARCHITECTURE, "os", m->os,
                        "isa", isa, "cores", tern_machine_cores(m));
  json_object_set_new(o, "isa_levels", tern_isa_json());
  json_object_set_new(o, "topology", topology_json(&m->topology));
  json_object_set_new(o, "cpu_quota", m->cgroup.cpus > 0 ? json_real(m->cgroup.cpus) : json_null());
  json_object_set_new(o, "memory_bytes", size_or_null(m->memory_total));
  json_object_set_new(o, "memory_available_bytes", size_or_null(m->memory_available));
  json_object_set_new(o, "memory_limit_bytes", size_or_null(m->cgroup.memory));
  json_object_set_new(o, "cgroup_version", text_or_null(m->cgroup.version));
  json_object_set_new(o, "cgroup_cpus", text_or_null(m->cgroup.cpuset));
  json_object_set_new(o, "page_bytes", size_or_null(m->system.page_size));
  json_object_set_new(o, "huge_pages", text_or_null(m->system.thp));
  json_object_set_new(o, "governor", text_or_null(m->system.governor));
  json_object_set_new(o, "frequency_driver", text_or_null(m->system.frequency_driver));
  json_object_set_new(o, "system", tern_system_json(&m->system));
  json_object_set_new(o, "virtualisation", text_or_null(m->virtualisation));
  json_object_set_new(o, "hypervisor", text_or_null(m->hypervisor));
  json_object_set_new(o, "topology_xml", text_or_null(m->topology_xml));
  return o;
}
