/* ternmark machine: facts, usable meters, ceilings, and what follows for a
 * reproduction here. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness/bandwidth_child.h"
#include "harness/command.h"
#include "harness/counters.h"
#include "harness/energy.h"
#include "harness/machine.h"
#include "harness/meter_check.h"
#include "harness/peak.h"

typedef struct options {
  bool json, energy_check;
  const char *sysfs_root;
} options;

/* Layouts whose compute peak is told. */
static const char *const peak_layouts[] = {"t2", "q8", "f32"};
enum { PEAKS = sizeof peak_layouts / sizeof *peak_layouts, KEY_JSON = 256, KEY_SYSFS, KEY_ENERGY };

typedef struct ceilings {
  double gbs_one, gbs_all; /* read bandwidth */
  const tern_kernel *kernels[PEAKS];
  double gops[PEAKS]; /* of one core */
} ceilings;

typedef struct probe {
  tern_machine machine;
  tern_counters *counters;
  tern_meter *meter;
  ceilings top;
} probe;

static const struct argp_option option_table[] = {
    {"energy-check", KEY_ENERGY, NULL, 0, "Only the energy meters, side by side: idle, one core, all cores", 0},
    {"json", KEY_JSON, NULL, 0, "Print everything as JSON", 0},
    {"sysfs-root", KEY_SYSFS, "DIR", 0, "Where /sys is mounted (/sys)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case KEY_JSON:
    o->json = true;
    return 0;
  case KEY_ENERGY:
    o->energy_check = true;
    return 0;
  case KEY_SYSFS:
    o->sysfs_root = arg;
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "'%s': no argument is expected", arg);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int measure_ceilings(ceilings *c, const tern_machine *m, tern_error *e) {
  const tern_topology *t = &m->topology;
  tern_bandwidth_child *b;
  if (tern_bandwidth_child_start(&b, t->l3 ? t->l3 : t->l2, t->order, e)) return (int)e->status;
  int bad = tern_bandwidth_child_measure(b, 1, &c->gbs_one, e);
  if (!bad) bad = tern_bandwidth_child_measure(b, tern_machine_cores(m), &c->gbs_all, e);
  tern_bandwidth_child_end(b);
  for (int i = 0; i < PEAKS && !bad; i++)
    bad = tern_peak_measure(peak_layouts[i], TERN_ISA_COUNT, &c->kernels[i], &c->gops[i], e);
  return bad;
}

static void print_json(const probe *p) {
  json_t *o = tern_machine_json(&p->machine), *counters = json_array(), *peaks = json_array();
  for (int i = 0; i < TERN_COUNTERS; i++) {
    const tern_counter_fact *f = tern_counters_fact(p->counters, (tern_counter)i);
    json_array_append_new(counters, json_pack("{s:s, s:b, s:s, s:s}", "what", tern_counter_name((tern_counter)i),
                                              "usable", f->counts, "source", f->event, "why", f->why));
  }
  for (int i = 0; i < PEAKS; i++)
    json_array_append_new(peaks,
                          json_pack("{s:s, s:f}", "kernel", p->top.kernels[i]->name, "gops_per_core", p->top.gops[i]));
  const char *meter = tern_meter_name(p->meter);
  json_object_set_new(o, "counters", counters);
  json_object_set_new(
      o, "energy",
      json_pack("{s:b, s:s}", "usable", meter != NULL, meter ? "source" : "why", tern_meter_source(p->meter)));
  json_object_set_new(o, "read_gbs_one_thread", json_real(p->top.gbs_one));
  json_object_set_new(o, "read_gbs_all_cores", json_real(p->top.gbs_all));
  json_object_set_new(o, "peaks", peaks);
  json_dumpf(o, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(o);
}

static void line(const char *what, const char *value) {
  printf("  %-18s %s\n", what, value[0] ? value : "not told");
}

static void print_facts(const tern_machine *m) {
  const tern_topology *t = &m->topology;
  printf("Machine\n");
  line("CPU", tern_cpu_name());
  printf("  %-18s", "instruction sets");
  for (int i = 0; i < TERN_ISA_COUNT; i++)
    if (tern_isa_usable((tern_isa)i)) printf(" %s", tern_isa_name((tern_isa)i));
  printf("\n  %-18s %d packages, %d cores, %d CPUs, %d NUMA nodes\n", "topology", t->packages, t->cores, t->cpus,
         t->numa_nodes);
  printf("  %-18s %d CPUs on %d cores", "allowed", t->allowed_cpus, t->allowed_cores);
  if (m->cgroup.cpus > 0) printf(", quota %.2f CPUs", m->cgroup.cpus);
  printf("\n  %-18s L1d %zu KiB, L2 %zu KiB, L3 %zu MiB\n", "caches", t->l1d >> 10, t->l2 >> 10, t->l3 >> 20);
  printf("  %-18s %.1f GB, %.1f GB available", "memory", (double)m->memory_total * 1e-9,
         (double)m->memory_available * 1e-9);
  if (m->cgroup.memory > 0) printf(", limit %.1f GB", (double)m->cgroup.memory * 1e-9);
  printf("\n  %-18s %zu bytes, transparent huge pages: %s\n", "pages", m->system.page_size,
         m->system.thp[0] ? m->system.thp : "not told");
  line("governor", m->system.governor);
  line("frequency driver", m->system.frequency_driver);
  line("virtualisation", m->virtualisation[0] ? m->virtualisation : "no sign of it");
  line("kernel", m->os);
}

static void print_meters(const probe *p) {
  printf("Counters (%s)\n", tern_counters_domain(p->counters));
  for (int i = 0; i < TERN_COUNTERS; i++) {
    const tern_counter_fact *f = tern_counters_fact(p->counters, (tern_counter)i);
    printf("  %-18s %s%s\n", tern_counter_name((tern_counter)i),
           f->counts ? "" : "no: ", f->counts ? f->event : f->why);
  }
  const char *meter = tern_meter_name(p->meter);
  printf("Energy\n  %-18s %s\n", meter ? meter : "none", tern_meter_source(p->meter));
  printf("Ceilings\n  %-18s %.1f GB/s with one thread, %.1f GB/s with %d\n", "memory read", p->top.gbs_one,
         p->top.gbs_all, tern_machine_cores(&p->machine));
  for (int i = 0; i < PEAKS; i++)
    printf("  %-18s %.0f G operations/s a core\n", p->top.kernels[i]->name, p->top.gops[i]);
}

/* What the published claims need, and whether it is here. */
static void print_outlook(const probe *p) {
  const double gb = (double)p->machine.memory_available * 1e-9;
  printf("What can be reproduced here\n");
  printf("  yes  speed and memory of ternary against f16 and int8, shapes whose engines fit %.0f GB\n", gb);
  if (gb < 9) printf("  no   all three engines of the 2B4T shape at once: they take about 9 GB\n");
  if (tern_meter_name(p->meter))
    printf("  yes  energy (%s)\n", tern_meter_source(p->meter));
  else
    printf("  no   energy: %s\n", tern_meter_source(p->meter));
  if (!tern_counters_fact(p->counters, TERN_CYCLES)->counts)
    printf("  no   cycles and cache misses: %s\n", tern_counters_fact(p->counters, TERN_CYCLES)->why);
#ifdef __x86_64__
  printf("  no   figures of ARM cores\n");
#else
  printf("  no   figures of x86 cores\n");
#endif
  if (p->machine.virtualisation[0])
    printf("  note a virtual machine: bandwidth drifts with its neighbours; ratios within a block hold\n");
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {
      .options = option_table,
      .parser = parse,
      .doc = "Tells what this machine is, which counters and energy sources really move, how fast memory and cores "
             "are, and what can be reproduced here. Takes a second and changes nothing.\vExamples:\n"
             "  ternmark machine\n  ternmark machine --json\n  ternmark machine --energy-check"};
  options o = {0};
  probe p = {0};
  argv[0] = "ternmark machine";
  argp_parse(&parser, argc, argv, 0, NULL, &o);
  if (o.energy_check) return tern_energy_check(stdout, o.sysfs_root, o.json, e);
  if (tern_machine_probe(&p.machine, e) || measure_ceilings(&p.top, &p.machine, e)) goto out;
  p.counters = tern_counters_open();
  p.meter = tern_meter_open(o.sysfs_root);
  if (!p.counters || !p.meter) {
    tern_fail(e, TERN_FAILED, "out of memory");
    goto out;
  }
  if (o.json) {
    print_json(&p);
  } else {
    print_facts(&p.machine);
    print_meters(&p);
    print_outlook(&p);
  }
  if (fflush(stdout) != 0) tern_fail_errno(e, "standard output");
out:
  tern_counters_close(p.counters);
  tern_meter_close(p.meter);
  tern_machine_free(&p.machine);
  return (int)e->status;
}

const tern_command tern_command_machine = {"machine", "what this machine is and what it can show", run};
