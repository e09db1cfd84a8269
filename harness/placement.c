/* Policies are rows of a table: which CPUs, in which order. */
#include "harness/placement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/machine.h"
#include "harness/placement_order.h"

struct tern_placement {
  hwloc_topology_t topology;
  hwloc_bitmap_t allowed;
  tern_seats seats;
  bool this_machine;
  double quota; /* CPUs; 0: none */
};

int tern_placement_open_at(tern_placement **out, const char *root, tern_error *e) {
  *out = NULL;
  tern_placement *p = calloc(1, sizeof *p);
  if (!p) return tern_fail(e, TERN_FAILED, "placement: out of memory");
  if (tern_topology_load(&p->topology, &p->allowed, e) || tern_seats_make(&p->seats, p->topology, p->allowed, e)) {
    tern_placement_close(p);
    return (int)e->status;
  }
  p->this_machine = hwloc_topology_is_thissystem(p->topology) != 0;
  char groups[1024], mount[1024];
  snprintf(groups, sizeof groups, "%s/proc/self/cgroup", root);
  snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
  p->quota = tern_cgroup_probe(groups, mount).cpus;
  *out = p;
  return 0;
}

int tern_placement_open(tern_placement **out, tern_error *e) {
  return tern_placement_open_at(out, "", e);
}

void tern_placement_close(tern_placement *p) {
  if (!p) return;
  tern_seats_free(&p->seats);
  hwloc_bitmap_free(p->allowed);
  if (p->topology) hwloc_topology_destroy(p->topology);
  free(p);
}

bool tern_placement_binds(const tern_placement *p) {
  return p->this_machine;
}

/* Each fills `set` with the CPUs that the policy means; `value` is what stands
 * behind the colon. The caller cuts the set to the seats. */
typedef int (*chooser)(const tern_placement *p, const char *value, hwloc_bitmap_t set, tern_error *e);

static int choose_all(const tern_placement *p, const char *value, hwloc_bitmap_t set, tern_error *e) {
  (void)value, (void)e;
  return hwloc_bitmap_copy(set, p->allowed);
}

static int choose_fast(const tern_placement *p, const char *value, hwloc_bitmap_t set, tern_error *e) {
  (void)value;
  if (hwloc_cpukinds_get_nr(p->topology, 0) > 1 && p->seats.kinds == 1) {
    int efficiency = -1;
    hwloc_cpukinds_get_info(p->topology, 0, NULL, &efficiency, NULL, NULL, 0);
    if (efficiency < 0)
      return tern_fail(e, TERN_USAGE,
                       "placement fast: hwloc can't tell which kind of core is the faster one here; "
                       "name the CPUs: cpus:LIST");
  }
  int best = -1;
  for (int i = 0; i < p->seats.count; i++) best = p->seats.list[i].kind > best ? p->seats.list[i].kind : best;
  for (int i = 0; i < p->seats.count; i++) {
    const tern_seat *s = &p->seats.list[i];
    if (s->kind == best && s->sibling == 0) hwloc_bitmap_set(set, (unsigned)s->cpu);
  }
  return 0;
}

static int choose_node(const tern_placement *p, const char *value, hwloc_bitmap_t set, tern_error *e) {
  char *end;
  errno = 0;
  unsigned long n = strtoul(value, &end, 10);
  if (value[0] < '0' || value[0] > '9' || *end || errno || n > 4095)
    return tern_fail(e, TERN_USAGE, "placement node:%s: want the number of a NUMA node", value);
  hwloc_obj_t node = hwloc_get_numanode_obj_by_os_index(p->topology, (unsigned)n);
  if (!node)
    return tern_fail(e, TERN_USAGE, "placement node:%lu: there is no such NUMA node (%d in all)", n,
                     hwloc_get_nbobjs_by_type(p->topology, HWLOC_OBJ_NUMANODE));
  if (!hwloc_bitmap_isset(hwloc_topology_get_allowed_nodeset(p->topology), (unsigned)n))
    return tern_fail(e, TERN_FAILED, "placement node:%lu: the control group's cpuset.mems leaves that node out", n);
  hwloc_bitmap_and(set, node->cpuset, p->allowed);
  if (hwloc_bitmap_iszero(set))
    return tern_fail(e, TERN_FAILED, "placement node:%lu: this process may use no CPU of that node", n);
  return 0;
}

/* Why a CPU of a list can't be had. */
static int refuse_cpu(const tern_placement *p, const char *list, int cpu, tern_error *e) {
  char allowed[128];
  hwloc_bitmap_list_snprintf(allowed, sizeof allowed, p->allowed);
  const char *why = "this process's affinity (taskset) leaves it out";
  if (!hwloc_bitmap_isset(hwloc_topology_get_topology_cpuset(p->topology), (unsigned)cpu))
    why = "there is no such CPU";
  else if (!hwloc_bitmap_isset(hwloc_topology_get_allowed_cpuset(p->topology), (unsigned)cpu))
    why = "the control group's cpuset forbids it";
  return tern_fail(e, TERN_FAILED, "placement cpus:%s: CPU %d: %s (usable: %s)", list, cpu, why, allowed);
}

/* Numbers of at most five digits, each followed by one comma or dash, or the
 * end: hwloc takes more than that, and makes a set of any size. */
static bool is_list(const char *text) {
  for (;;) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5) return false;
    text += digits;
    if (*text == '\0') return true;
    if (*text != ',' && *text != '-') return false;
    text++;
  }
}

static int choose_listed(const tern_placement *p, const char *value, hwloc_bitmap_t set, tern_error *e) {
  if (!is_list(value) || hwloc_bitmap_list_sscanf(set, value) != 0 || hwloc_bitmap_iszero(set))
    return tern_fail(e, TERN_USAGE, "placement cpus:%.200s: want a list of CPU numbers, as 0-3,8", value);
  for (int cpu = -1; (cpu = hwloc_bitmap_next(set, cpu)) >= 0;)
    if (!hwloc_bitmap_isset(p->allowed, (unsigned)cpu)) return refuse_cpu(p, value, cpu, e);
  return 0;
}

static const struct policy {
  const char *name; /* with a colon: a value follows */
  chooser choose;
  int (*order)(const void *a, const void *b);
} policies[] = {
    {"cores", choose_all, tern_seat_by_core},  {"compact", choose_all, tern_seat_compact},
    {"spread", choose_all, tern_seat_spread},  {"fast", choose_fast, tern_seat_by_core},
    {"node:", choose_node, tern_seat_by_core}, {"cpus:", choose_listed, tern_seat_by_number},
};

static const struct policy *find_policy(const char *name, const char **value, tern_error *e) {
  for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
    const size_t n = strlen(policies[i].name);
    const bool valued = policies[i].name[n - 1] == ':';
    *value = name + n;
    if (valued ? strncmp(name, policies[i].name, n) == 0 : strcmp(name, policies[i].name) == 0) return &policies[i];
  }
  tern_fail(e, TERN_USAGE, "placement %.100s: not known; there are cores, compact, spread, fast, node:N, cpus:LIST",
            name);
  return NULL;
}

/* The policy's seats in order (free()); NULL and the reason. */
static tern_seat *choose_seats(const tern_placement *p, const char *name, int *count, tern_error *e) {
  const char *value;
  const struct policy *policy = find_policy(name, &value, e);
  if (!policy) return NULL;
  tern_seat *list = calloc((size_t)p->seats.count + 1, sizeof *list);
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  *count = 0;
  if (!list || !set) {
    tern_fail(e, TERN_FAILED, "placement: out of memory");
    goto failed;
  }
  if (policy->choose(p, value, set, e)) goto failed;
  for (int i = 0; i < p->seats.count; i++)
    if (hwloc_bitmap_isset(set, (unsigned)p->seats.list[i].cpu)) list[(*count)++] = p->seats.list[i];
  qsort(list, (size_t)*count, sizeof *list, policy->order);
  hwloc_bitmap_free(set);
  return list;

failed:
  hwloc_bitmap_free(set);
  free(list);
  return NULL;
}

static int within_quota(const tern_placement *p, int cpus) {
  if (p->quota <= 0 || p->quota >= cpus) return cpus;
  return p->quota < 1 ? 1 : (int)p->quota;
}

int tern_placement_room(const tern_placement *p, const char *policy, tern_error *e) {
  int count;
  tern_seat *list = choose_seats(p, policy, &count, e);
  if (!list) return 0;
  free(list);
  if (count == 0) tern_fail(e, TERN_FAILED, "placement %s: this process may use no such CPU", policy);
  return within_quota(p, count);
}

int tern_placement_cpus(const tern_placement *p, const char *policy, int threads, int *cpus, tern_error *e) {
  int count;
  tern_seat *list = choose_seats(p, policy, &count, e);
  if (!list) return (int)e->status;
  if (threads < 1) {
    tern_fail(e, TERN_USAGE, "placement %s: %d threads, want 1 or more", policy, threads);
  } else if (threads > count) {
    tern_fail(e, TERN_FAILED, "placement %s: %d threads, but it has %d CPU%s for this process: more would share them",
              policy, threads, count, count == 1 ? "" : "s");
  } else if (threads > within_quota(p, count)) {
    tern_fail(e, TERN_FAILED,
              "placement %s: %d threads, but the control group's quota is %.2f CPUs: more would be throttled", policy,
              threads, p->quota);
  } else {
    for (int i = 0; i < threads; i++) cpus[i] = list[i].cpu;
  }
  free(list);
  return (int)e->status;
}

/* NUMA nodes of the CPUs; the first that the control group forbids, or -1. */
static int nodes_of(const tern_placement *p, const int *cpus, int n, hwloc_bitmap_t nodes) {
  for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(p->topology, HWLOC_OBJ_NUMANODE, o));)
    for (int i = 0; i < n; i++)
      if (cpus[i] >= 0 && hwloc_bitmap_isset(o->cpuset, (unsigned)cpus[i])) hwloc_bitmap_set(nodes, o->os_index);
  for (int node = -1; (node = hwloc_bitmap_next(nodes, node)) >= 0;)
    if (!hwloc_bitmap_isset(hwloc_topology_get_allowed_nodeset(p->topology), (unsigned)node)) return node;
  return -1;
}

int tern_placement_bind_memory(const tern_placement *p, const int *cpus, int n, const char *memory, tern_error *e) {
  static const struct {
    const char *name;
    hwloc_membind_policy_t policy;
  } policies_of_memory[] = {
      {"local", HWLOC_MEMBIND_FIRSTTOUCH}, {"bind", HWLOC_MEMBIND_BIND}, {"interleave", HWLOC_MEMBIND_INTERLEAVE}};
  const size_t kinds = sizeof policies_of_memory / sizeof *policies_of_memory;
  size_t k = 0;
  while (k < kinds && strcmp(policies_of_memory[k].name, memory) != 0) k++;
  if (k == kinds)
    return tern_fail(e, TERN_USAGE, "memory placement %.100s: not known; there are local, bind, interleave", memory);
  if (k == 0 || !p->this_machine || hwloc_get_nbobjs_by_type(p->topology, HWLOC_OBJ_NUMANODE) < 2) return 0;
  hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
  if (!nodes) return tern_fail(e, TERN_FAILED, "memory placement: out of memory");
  int forbidden = nodes_of(p, cpus, n, nodes);
  if (forbidden >= 0)
    tern_fail(e, TERN_FAILED, "memory placement %s: the control group's cpuset.mems leaves out NUMA node %d", memory,
              forbidden);
  else if (hwloc_set_membind(p->topology, nodes, policies_of_memory[k].policy,
                             HWLOC_MEMBIND_THREAD | HWLOC_MEMBIND_BYNODESET) != 0)
    tern_fail_errno(e, "memory placement %s: the kernel refuses it", memory);
  hwloc_bitmap_free(nodes);
  return (int)e->status;
}
