/* The report as text: what can't be found out says so, and why. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/cpu_features.h"
#include "harness/machine_report.h"

enum { LABEL = 22 };

static void line(FILE *to, const char *what, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void line(FILE *to, const char *what, const char *format, ...) {
  va_list arguments;
  fprintf(to, "  %-*s ", LABEL, what);
  va_start(arguments, format);
  vfprintf(to, format, arguments);
  va_end(arguments);
  fputc('\n', to);
}

static const char *told(const char *s) {
  return s[0] ? s : "not told";
}

/* "32 KiB", "1 MiB" */
static const char *size_text(char *out, size_t room, size_t bytes) {
  if (bytes >= (size_t)1 << 20 && bytes % (1 << 20) == 0)
    snprintf(out, room, "%zu MiB", bytes >> 20);
  else
    snprintf(out, room, "%zu KiB", bytes >> 10);
  return out;
}

static void print_cpu(FILE *to, const tern_machine *m) {
  fprintf(to, "Machine\n");
  line(to, "CPU", "%s", tern_cpu_name());
  line(to, "microarchitecture", "%s", told(m->system.microarchitecture));
  line(to, "kernel", "%s", m->os);
  line(to, "virtualisation", "%s", m->virtualisation[0] ? m->virtualisation : "no sign of it");
  line(to, "hypervisor", "%s", m->hypervisor[0] ? m->hypervisor : "none named by CPUID");
  if (isnan(m->system.steal))
    line(to, "stolen time", "not told");
  else
    line(to, "stolen time", "%.2f %% of all CPU time since boot", m->system.steal);
}

static void print_features(FILE *to) {
  const tern_cpu_feature *list;
  const int count = tern_cpu_features(&list);
  fprintf(to, "Instruction sets       advertised  runs  taken by\n");
  for (int i = 0; i < count; i++) {
    char users[512];
    tern_cpu_feature_users(&list[i], users, sizeof users);
    line(to, list[i].name, "%-11s %-5s %s", list[i].advertised ? "yes" : "no",
         list[i].executed     ? "yes"
         : list[i].advertised ? "FAULTS"
                              : "-",
         users[0] ? users : "no kernel");
  }
}

static void print_shape(FILE *to, const tern_machine_report *r) {
  const tern_topology *t = &r->machine.topology;
  const tern_topology_facts *f = &r->shape;
  fprintf(to, "Topology%s\n", t->described ? " (of another machine: HWLOC_XMLFILE or HWLOC_SYNTHETIC)" : "");
  line(to, "whole", "packages %d, cores %d, CPUs %d (%d a core at most), NUMA nodes %d", t->packages, t->cores, t->cpus,
       f->smt, t->numa_nodes);
  line(to, "allowed", "CPUs %s; this process: %d CPUs on %d cores", f->allowed, t->allowed_cpus, t->allowed_cores);
  for (int i = 0; i < f->cache_count; i++) {
    const tern_cache_fact *c = &f->caches[i];
    char size[32], share[48] = "one CPU's own";
    if (c->cpus > 1) snprintf(share, sizeof share, "each shared by %d CPUs", c->cpus);
    line(to, c->name, "%s x %d, %s", size_text(size, sizeof size, c->bytes), c->count, share);
  }
  for (int i = 0; f->node_count > 1 && i < f->node_count; i++)
    line(to, "NUMA node", "%u: %.1f GB, CPUs %s", f->nodes[i].number, (double)f->nodes[i].bytes * 1e-9,
         f->nodes[i].cpus);
  if (f->kind_count < 2) line(to, "kinds of cores", "one");
  for (int i = 0; f->kind_count > 1 && i < f->kind_count; i++)
    line(to, "kind of cores", "CPUs %s: %s, rank %d", f->kinds[i].cpus, f->kinds[i].what, f->kinds[i].efficiency);
}

static void print_memory(FILE *to, const tern_machine *m) {
  const tern_system *s = &m->system;
  fprintf(to, "Memory\n");
  line(to, "total", "%.1f GB, %.1f GB available", (double)m->memory_total * 1e-9, (double)m->memory_available * 1e-9);
  line(to, "pages", "%zu bytes", s->page_size);
  line(to, "transparent huge", "%s, defrag %s", told(s->thp), told(s->thp_defrag));
  for (int i = 0; i < s->huge_count; i++)
    line(to, "hugetlb", "%lld KiB: %lld pages, %lld free", (long long)s->huge[i].kib, (long long)s->huge[i].total,
         (long long)s->huge[i].free);
  fprintf(to, "Control group (%s)\n", m->cgroup.version[0] ? m->cgroup.version : "none found");
  if (m->cgroup.cpus > 0)
    line(to, "CPU quota", "%.2f CPUs", m->cgroup.cpus);
  else
    line(to, "CPU quota", "none");
  line(to, "cpuset", "%s", m->cgroup.cpuset[0] ? m->cgroup.cpuset : "none");
  if (m->cgroup.memory > 0)
    line(to, "memory limit", "%.2f GB", (double)m->cgroup.memory * 1e-9);
  else
    line(to, "memory limit", "none");
}

static void print_clocks(FILE *to, const tern_system *s) {
  fprintf(to, "Frequency and heat\n");
  line(to, "driver", "%s", told(s->frequency_driver));
  line(to, "governor", "%s", told(s->governor));
  line(to, "boost", "%s", told(s->boost));
  if (isnan(s->mhz))
    line(to, "now", "not told");
  else if (isnan(s->mhz_top))
    line(to, "now", "%.0f MHz (as /proc/cpuinfo says; its bounds are not told)", s->mhz);
  else
    line(to, "now", "%.0f MHz, from %.0f to %.0f", s->mhz, s->mhz_low, s->mhz_top);
  for (int i = 0; i < s->zone_count; i++) line(to, s->zones[i].type, "%.1f degrees C", s->zones[i].celsius);
  if (s->zone_count == 0) line(to, "thermal zones", "none shown");
  if (s->throttled < 0)
    line(to, "throttled", "not told");
  else
    line(to, "throttled", "%lld times since boot", (long long)s->throttled);
}

static void print_counters(FILE *to, const tern_machine_report *r) {
  fprintf(to, "PAPI components\n");
  if (r->component_count == 0) line(to, "none", "PAPI does not start here");
  for (int i = 0; i < r->component_count; i++) {
    const tern_papi_component *c = &r->components[i];
    if (c->disabled[0])
      line(to, c->name, "%s: off: %s", c->version, c->disabled);
    else
      line(to, c->name, "%s: %d native events known", c->version, c->native_events);
  }
  fprintf(to, "Counters that count (%s)\n", tern_counters_domain(r->counters));
  for (int i = 0; i < TERN_COUNTERS; i++) {
    const tern_counter_fact *f = tern_counters_fact(r->counters, (tern_counter)i);
    line(to, tern_counter_name((tern_counter)i), "%s%s%s", f->counts ? "yes: " : "no: ", f->counts ? f->event : f->why,
         f->counts && f->software ? " (software)" : "");
  }
}

static void print_meter(FILE *to, const tern_machine_report *r, int meter) {
  const tern_meter_fact *f = tern_meters_fact(r->meters, meter);
  if (!f->usable) {
    line(to, f->kind, "no: %s", f->why);
    if (f->source[0]) line(to, "", "was read: %s", f->source);
    if (f->remedy[0]) line(to, "", "would make it usable: %s", f->remedy);
    return;
  }
  line(to, f->kind, "%s, scope %s, unit %s%s", tern_how_name(f->how), f->scope, f->unit,
       f->primary ? " (the one that results take)" : "");
  if (isfinite(f->resolution) || isfinite(f->interval))
    line(to, "", "smallest step seen %g, a new value every %g s", f->resolution, f->interval);
  for (int i = 0, n = tern_meters_parts(r->meters, meter, 0, NULL); i < n; i++) {
    tern_meter_part part;
    tern_meters_parts(r->meters, meter, i, &part);
    line(to, "", "%s: %s%s", part.name, part.path, part.counted ? "" : " (within another, not added)");
  }
}

static void print_reads(FILE *to, const tern_limits *l) {
  const tern_limit_rate *best = tern_limits_best(l, 0), *one = tern_limits_best(l, 1),
                        *all = tern_limits_best(l, l->cores);
  if (best)
    line(to, "memory read", "%.1f GB/s at best: %s, %s pages, %d threads", best->gbs, best->reader,
         tern_pages_name(best->pages), best->threads);
  if (one && all) line(to, "", "%.1f GB/s with one thread, %.1f GB/s with %d", one->gbs, all->gbs, l->cores);
  for (int i = 0; i < l->rate_count; i++) {
    const tern_limit_rate *r = &l->rates[i];
    line(to, "", "%-12s %-5s pages %3d threads %7.1f GB/s", r->reader, tern_pages_name(r->pages), r->threads, r->gbs);
  }
  line(to, "", "over %.0f MB; %.0f %% of what asked for huge pages got them", (double)l->buffer_bytes * 1e-6,
       100 * l->huge_share);
}

static void print_likwid(FILE *to, const tern_likwid *l) {
  if (!l->compared) {
    line(to, "likwid-bench", "%s", l->why);
    return;
  }
  const double off = 100 * (l->ours / l->gbs - 1);
  line(to, "likwid-bench", "%.1f GB/s (%s, %d threads, %s pages), ours the same way %.1f: %+.1f %%", l->gbs, l->kernel,
       l->threads, tern_pages_name(l->pages), l->ours, off);
  if (fabs(off) > 5)
    line(to, "", "%s",
         off > 0 ? "beyond 5 %: bandwidth moved between the two, or another reader suits this CPU better"
                 : "beyond 5 %: bandwidth moved between the two, or our readers miss something; run it again");
}

static void print_limits(FILE *to, const tern_machine_report *r) {
  const tern_limits *l = &r->limits;
  fprintf(to, "Limits, measured now in %.1f s\n", l->seconds);
  print_reads(to, l);
  print_likwid(to, &r->likwid);
  line(to, "memory latency", "%.0f ns on huge pages, %.0f ns on small", l->latency_ns[TERN_PAGES_HUGE],
       l->latency_ns[TERN_PAGES_SMALL]);
  for (int k = 0; k < TERN_PEAKS; k++) {
    const tern_limit_peak *p = &l->peaks[k];
    const char *name = tern_limit_peak_name((tern_limit_peak_kind)k);
    if (isnan(p->one))
      line(to, name, "this CPU has none");
    else
      line(to, name, "%.0f G operations/s a core, %.0f on %d (%s)", p->one, p->all, l->cores, p->instruction);
  }
  for (int i = 0; i < TERN_REPORT_KERNELS; i++)
    line(to, r->kernels[i].kernel->name, "%.0f G operations/s a core, operands in cache", r->kernels[i].gops);
}

void tern_machine_report_text(FILE *to, const tern_machine_report *r) {
  print_cpu(to, &r->machine);
  print_features(to);
  print_shape(to, r);
  print_memory(to, &r->machine);
  print_clocks(to, &r->machine.system);
  print_counters(to, r);
  fprintf(to, "Energy sources\n");
  for (int i = 0; i < tern_meters_count(r->meters); i++) print_meter(to, r, i);
  if (tern_meters_count(r->meters) == 0) line(to, "none", "no source is known here");
  print_limits(to, r);
  tern_outlook list[TERN_MOST_OUTLOOKS];
  const int count = tern_machine_outlook(r, list);
  fprintf(to, "What can be reproduced here\n");
  for (int i = 0; i < count; i++) fprintf(to, "  %-4s %s\n", list[i].verdict, list[i].text);
}
