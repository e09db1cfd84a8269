/* CPUs in the order that threads take them. Cores are walked through hwloc's
 * tree; where it has none (some virtual machines), each CPU is a core. */
#include "harness/placement_order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Whether hwloc knows which kind of core is the faster one. */
static bool kinds_are_ranked(hwloc_topology_t topology) {
  int count = hwloc_cpukinds_get_nr(topology, 0);
  for (int i = 0; i < count; i++) {
    int efficiency = -1;
    if (hwloc_cpukinds_get_info(topology, (unsigned)i, NULL, &efficiency, NULL, NULL, 0) != 0 || efficiency < 0)
      return false;
  }
  return count > 1;
}

static bool is_core(hwloc_obj_t o) {
  return o->type == HWLOC_OBJ_CORE || o->type == HWLOC_OBJ_PU;
}

typedef struct walk {
  hwloc_const_cpuset_t allowed;
  hwloc_obj_t *cores; /* in the order asked for */
  hwloc_obj_t *spare; /* as many */
} walk;

/* Takes one core of each of the `parts` runs in turn. ends[i]: where run i
 * ends in cores + at; runs follow each other. */
static void take_in_turn(walk *w, int at, const int *ends, int parts) {
  int total = parts ? ends[parts - 1] : 0, taken = 0;
  for (int turn = 0; taken < total; turn++)
    for (int i = 0, begin = 0; i < parts; begin = ends[i++])
      if (begin + turn < ends[i]) w->spare[taken++] = w->cores[at + begin + turn];
  memcpy(w->cores + at, w->spare, (size_t)total * sizeof(hwloc_obj_t));
}

/* Allowed cores under o into cores[at...]: depth first, or its children's in
 * turn. Their number; -1: out of memory. */
static int list_cores(walk *w, hwloc_obj_t o, int at, bool in_turn) {
  if (!hwloc_bitmap_intersects(o->cpuset, w->allowed)) return 0;
  if (is_core(o)) {
    w->cores[at] = o;
    return 1;
  }
  int *ends = malloc((size_t)(o->arity + 1) * sizeof *ends), count = 0;
  if (!ends) return -1;
  for (unsigned i = 0; i < o->arity && count >= 0; i++) {
    int more = list_cores(w, o->children[i], at + count, in_turn);
    count = more < 0 ? -1 : count + more;
    ends[i] = count;
  }
  if (count > 0 && in_turn) take_in_turn(w, at, ends, (int)o->arity);
  free(ends);
  return count;
}

static int kind_of(hwloc_topology_t topology, int cpu, hwloc_bitmap_t one) {
  hwloc_bitmap_only(one, (unsigned)cpu);
  return hwloc_cpukinds_get_by_cpuset(topology, one, 0);
}

/* Adds a core's allowed CPUs. */
static void seat_core(tern_seats *s, hwloc_topology_t topology, hwloc_obj_t core, hwloc_const_cpuset_t allowed,
                      bool ranked, hwloc_bitmap_t one) {
  int sibling = 0;
  for (int cpu = -1; (cpu = hwloc_bitmap_next(core->cpuset, cpu)) >= 0;) {
    if (!hwloc_bitmap_isset(allowed, (unsigned)cpu)) continue;
    int kind = ranked ? kind_of(topology, cpu, one) : 0;
    s->list[s->count] = (tern_seat){cpu, s->count, sibling++, kind, 0};
    s->count++;
  }
}

static void number_turns(tern_seats *s, hwloc_obj_t *cores, int count) {
  for (int c = 0; c < count; c++)
    for (int i = 0; i < s->count; i++)
      if (hwloc_bitmap_isset(cores[c]->cpuset, (unsigned)s->list[i].cpu)) s->list[i].turn = c;
}

static int count_kinds(const tern_seats *s) {
  int kinds = 0;
  for (int i = 0; i < s->count; i++) {
    bool seen = false;
    for (int j = 0; j < i && !seen; j++) seen = s->list[j].kind == s->list[i].kind;
    kinds += !seen;
  }
  return kinds;
}

int tern_seats_make(tern_seats *s, hwloc_topology_t topology, hwloc_const_cpuset_t allowed, tern_error *e) {
  *s = (tern_seats){0};
  int cpus = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU), count = -1;
  size_t room = (size_t)(cpus > 0 ? cpus : 0) + 1;
  hwloc_bitmap_t one = hwloc_bitmap_alloc();
  walk w = {allowed, calloc(room, sizeof(hwloc_obj_t)), calloc(room, sizeof(hwloc_obj_t))};
  s->list = calloc(room, sizeof *s->list);
  if (!one || !w.cores || !w.spare || !s->list) goto out;
  count = list_cores(&w, hwloc_get_root_obj(topology), 0, false);
  bool ranked = kinds_are_ranked(topology);
  for (int c = 0; c < count; c++) seat_core(s, topology, w.cores[c], allowed, ranked, one);
  s->cores = count;
  s->kinds = count_kinds(s);
  count = list_cores(&w, hwloc_get_root_obj(topology), 0, true);
  number_turns(s, w.cores, count);
out:
  hwloc_bitmap_free(one);
  free(w.cores);
  free(w.spare);
  if (count >= 0) return 0;
  tern_seats_free(s);
  return tern_fail(e, TERN_FAILED, "topology: out of memory");
}

void tern_seats_free(tern_seats *s) {
  free(s->list);
  *s = (tern_seats){0};
}

/* Compares by the first of the pairs that differs. */
static int compare(const int pairs[][2], int count) {
  for (int i = 0; i < count; i++)
    if (pairs[i][0] != pairs[i][1]) return pairs[i][0] < pairs[i][1] ? -1 : 1;
  return 0;
}

int tern_seat_by_core(const void *a, const void *b) {
  const tern_seat *x = a, *y = b;
  return compare((const int[][2]){{x->sibling, y->sibling}, {y->kind, x->kind}, {x->rank, y->rank}}, 3);
}

int tern_seat_compact(const void *a, const void *b) {
  const tern_seat *x = a, *y = b;
  return compare((const int[][2]){{y->kind, x->kind}, {x->rank, y->rank}}, 2);
}

int tern_seat_spread(const void *a, const void *b) {
  const tern_seat *x = a, *y = b;
  return compare((const int[][2]){{x->sibling, y->sibling}, {x->turn, y->turn}, {x->rank, y->rank}}, 3);
}

int tern_seat_by_number(const void *a, const void *b) {
  const tern_seat *x = a, *y = b;
  return compare((const int[][2]){{x->cpu, y->cpu}}, 1);
}

static bool is_set(const char *variable) {
  const char *value = getenv(variable);
  return value && value[0];
}

/* hwloc shows this machine where it can't read the topology that it was given. */
static bool fell_back(hwloc_topology_t topology) {
  return (is_set("HWLOC_XMLFILE") || is_set("HWLOC_SYNTHETIC")) && !is_set("HWLOC_THISSYSTEM") &&
         hwloc_topology_is_thissystem(topology);
}

static int fail_load(hwloc_topology_t topology, hwloc_bitmap_t allowed, tern_error *e) {
  static const char *const variables[] = {"HWLOC_XMLFILE", "HWLOC_SYNTHETIC"};
  if (topology) hwloc_topology_destroy(topology);
  hwloc_bitmap_free(allowed);
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
    if (is_set(variables[i]))
      return tern_fail(e, TERN_FAILED, "%s=%s: hwloc cannot read that topology", variables[i], getenv(variables[i]));
  return tern_fail(e, TERN_FAILED, "hwloc cannot read this machine's topology");
}

int tern_topology_load(hwloc_topology_t *out, hwloc_bitmap_t *allowed, tern_error *e) {
  hwloc_topology_t topology = NULL;
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  if (!set || hwloc_topology_init(&topology) != 0) return fail_load(NULL, set, e);
  hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  if (hwloc_topology_load(topology) != 0 || fell_back(topology)) return fail_load(topology, set, e);
  /* A topology of another machine has no affinity to ask for. */
  if (!hwloc_topology_is_thissystem(topology) || hwloc_get_cpubind(topology, set, HWLOC_CPUBIND_PROCESS) != 0)
    hwloc_bitmap_copy(set, hwloc_topology_get_allowed_cpuset(topology));
  hwloc_bitmap_and(set, set, hwloc_topology_get_allowed_cpuset(topology));
  *out = topology;
  *allowed = set;
  return 0;
}
