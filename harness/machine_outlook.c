/* What the published claims need, and whether it is here. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/machine_report.h"

/* All three engines of the 2B4T shape at once. */
static const double LARGE_GB = 9;

static void add(tern_outlook *list, int *n, const char *verdict, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add(tern_outlook *list, int *n, const char *verdict, const char *format, ...) {
  va_list arguments;
  if (*n == TERN_MOST_OUTLOOKS) return;
  list[*n].verdict = verdict;
  va_start(arguments, format);
  vsnprintf(list[*n].text, sizeof list->text, format, arguments);
  va_end(arguments);
  (*n)++;
}

static void add_energy(tern_outlook *list, int *n, const tern_machine_report *r) {
  const int primary = tern_meters_primary(r->meters);
  if (primary >= 0) {
    const tern_meter_fact *f = tern_meters_fact(r->meters, primary);
    add(list, n, "yes", "energy, %s (%s)", f->scope, f->kind);
    return;
  }
  const char *remedy = "";
  for (int i = 0; i < tern_meters_count(r->meters) && !remedy[0]; i++) remedy = tern_meters_fact(r->meters, i)->remedy;
  add(list, n, "no", "measured energy: no source works here%s%s; an outside meter can: --meter csv:FILE or command:...",
      remedy[0] ? "; try: " : "", remedy);
  add(list, n, "yes", "modelled energy, from operation counts, labelled so");
}

static void add_cpus(tern_outlook *list, int *n, const tern_machine_report *r) {
  const int cores = r->limits.cores;
  if (r->machine.topology.described)
    add(list, n, "note",
        "the topology is another machine's (HWLOC_XMLFILE or HWLOC_SYNTHETIC): threads are not bound by it");
  if (cores < 2)
    add(list, n, "no", "scaling over threads: one core is to be had here");
  else
    add(list, n, "yes", "scaling from 1 to %d threads; more threads than CPUs are never measured as scaling", cores);
  if (r->shape.node_count > 1)
    add(list, n, "note", "%d NUMA nodes: bind threads and memory (--placement node:N), or figures are of both paths",
        r->shape.node_count);
}

int tern_machine_outlook(const tern_machine_report *r, tern_outlook *list) {
  int n = 0;
  const double gb = (double)r->machine.memory_available * 1e-9;
  add(list, &n, "yes", "speed and memory of ternary against f16 and int8, shapes whose engines fit %.0f GB", gb);
  if (gb < LARGE_GB)
    add(list, &n, "no", "all three engines of the 2B4T shape at once: they take about %.0f GB", LARGE_GB);
  add_cpus(list, &n, r);
  add_energy(list, &n, r);
  const tern_counter_fact *cycles = tern_counters_fact(r->counters, TERN_CYCLES);
  const tern_counter_fact *bytes = tern_counters_fact(r->counters, TERN_MEMORY_BYTES);
  if (cycles->counts)
    add(list, &n, "yes", "cycles, instructions and what they derive (%s)", cycles->event);
  else
    add(list, &n, "no", "cycles and cache misses: %s%s", cycles->why,
        r->machine.hypervisor[0] ? " (the hypervisor shows no PMU); software events count" : "");
  if (!bytes->counts)
    add(list, &n, "no", "bytes at the memory controllers: %s; bytes a token are computed", bytes->why);
#ifdef __x86_64__
  add(list, &n, "no", "figures of ARM cores");
#else
  add(list, &n, "no", "figures of x86 cores");
#endif
  if (r->machine.virtualisation[0] || r->machine.hypervisor[0])
    add(list, &n, "note", "a virtual machine: bandwidth drifts with its neighbours; ratios within a block hold");
  if (strcmp(r->machine.system.governor, "performance") != 0 && r->machine.system.governor[0])
    add(list, &n, "note", "governor %s: clocks rise and fall with load; steady figures want 'performance'",
        r->machine.system.governor);
  if (strcmp(r->machine.system.thp, "never") == 0)
    add(list, &n, "note", "transparent huge pages are off: decoding reads memory more slowly than it could");
  return n;
}
