/* RAPL through the kernel's perf PMU `power`: events energy-pkg, -ram, -cores,
 * -gpu, -psys, each opened on the CPUs of `cpumask` (one of every package),
 * system-wide. The kernel widens the counts to 64 bits; it expects to be read
 * within a counter's shortest round, hence a look a second. Kernel:
 * arch/x86/events/rapl.c, ABI/testing/sysfs-bus-event_source-devices-events. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/meter_rapl.h"
#include "harness/meter_sysfs.h"

#define PMU "bus/event_source/devices/power"

enum { MOST_PACKAGES = 16 };

typedef struct perf {
  int files[TERN_MOST_CHANNELS];
} perf;

typedef struct event {
  const char *name;
  tern_domain domain;
  const char *part; /* of the package */
} event;

static const event events[] = {{"energy-pkg", TERN_DOMAIN_PACKAGE, ""},
                               {"energy-ram", TERN_DOMAIN_DRAM, "/dram"},
                               {"energy-cores", TERN_DOMAIN_CORE, "/core"},
                               {"energy-gpu", TERN_DOMAIN_UNCORE, "/uncore"},
                               {"energy-psys", TERN_DOMAIN_PSYS, "/psys"}};

/* CPUs of a list such as "0,28-29"; how many, 0 when it is none. */
static int parse_cpus(const char *list, int *cpus, int most) {
  int count = 0;
  for (const char *at = list; *at;) {
    char *end;
    long low = strtol(at, &end, 10), high = low;
    if (end == at) return 0;
    if (*end == '-') {
      at = end + 1;
      high = strtol(at, &end, 10);
      if (end == at) return 0;
    }
    if (low < 0 || high < low || high > 1 << 20 || (*end && *end != ',')) return 0;
    for (long cpu = low; cpu <= high && count < most; cpu++) cpus[count++] = (int)cpu;
    at = *end ? end + 1 : end;
  }
  return count;
}

static int package_of(const tern_source *s, int cpu, int otherwise) {
  int64_t id;
  bool told = tern_sysfs_integer(s, &id, "devices/system/cpu/cpu%d/topology/physical_package_id", cpu) == 0;
  return told && id >= 0 && id < 1 << 16 ? (int)id : otherwise;
}

/* "event=0x02" and the factor to joules; false when the event is not there. */
static bool read_event(const tern_source *s, const char *name, uint64_t *config, double *scale) {
  char line[128], unit[32];
  unsigned code;
  if (tern_sysfs_line(s, line, sizeof line, PMU "/events/%s", name) != 0) return false;
  if (sscanf(line, "event=%x", &code) != 1) return false;
  if (tern_sysfs_line(s, line, sizeof line, PMU "/events/%s.scale", name) != 0) return false;
  char *end;
  *scale = strtod(line, &end);
  if (end == line || !(*scale > 0)) return false;
  if (tern_sysfs_line(s, unit, sizeof unit, PMU "/events/%s.unit", name) != 0) return false;
  *config = code;
  return strcmp(unit, "Joules") == 0;
}

/* Opens an event on one CPU of every package; false: without a channel. */
static bool open_event(tern_source *s, perf *p, const event *ev, uint32_t type, const int *cpus, int cpu_count) {
  const tern_meter_io *io = s->options->io ? s->options->io : &tern_meter_io_kernel;
  uint64_t config;
  double scale;
  if (!read_event(s, ev->name, &config, &scale)) return false;
  for (int i = 0; i < cpu_count; i++) {
    char name[48], path[224];
    snprintf(name, sizeof name, "package-%d%s", package_of(s, cpus[i], i), ev->part);
    snprintf(path, sizeof path, "perf power/%s/ on CPU %d", ev->name, cpus[i]);
    int number = s->count;
    tern_channel *c = tern_source_add(s, ev->domain, name, path);
    if (!c) return false;
    c->unit = scale;
    p->files[number] = io->perf_open(io->arg, type, config, cpus[i]);
  }
  return true;
}

static void perf_close(tern_source *s) {
  perf *p = s->state;
  for (int i = 0; i < s->count; i++)
    if (p->files[i] >= 0) close(p->files[i]);
  free(p);
}

static void *perf_open(tern_source *s) {
  int64_t type;
  char mask[256];
  int cpus[MOST_PACKAGES];
  if (tern_sysfs_integer(s, &type, PMU "/type") != 0) return tern_source_refuse(s, "no %s/" PMU, s->root);
  int bad = tern_sysfs_line(s, mask, sizeof mask, PMU "/cpumask");
  int cpu_count = bad ? 0 : parse_cpus(mask, cpus, MOST_PACKAGES);
  if (cpu_count == 0) return tern_source_refuse(s, "%s/" PMU "/cpumask: no CPU to read on", s->root);
  perf *p = calloc(1, sizeof *p);
  if (!p) return tern_source_refuse(s, "out of memory");
  int found = 0;
  for (size_t i = 0; i < sizeof events / sizeof *events; i++)
    found += open_event(s, p, &events[i], (uint32_t)type, cpus, cpu_count);
  snprintf(s->fact.unit, sizeof s->fact.unit, "%.4g J", s->count ? s->channels[0].unit : 0.0);
  snprintf(s->fact.remedy, sizeof s->fact.remedy, "sudo sysctl kernel.perf_event_paranoid=0");
  s->state = p; /* the choice reads through it */
  if (found && tern_rapl_choose(s)) return p;
  if (!found) tern_source_refuse(s, "%s/" PMU "/events: no energy event with scale and unit", s->root);
  if (!s->fact.denied) s->fact.remedy[0] = '\0';
  perf_close(s);
  s->state = NULL;
  return NULL;
}

static bool perf_read(tern_source *s, int channel, tern_level *out, char *why, size_t size) {
  const perf *p = s->state;
  tern_channel *c = &s->channels[channel];
  int file = p->files[channel], bad = 0;
  if (file < 0) {
    bad = -file;
  } else {
    ssize_t got = read(file, &out->count, sizeof out->count);
    bad = got < 0 ? errno : got == sizeof out->count ? 0 : ENODATA;
  }
  if (!bad) return true;
  c->denied = bad == EACCES || bad == EPERM;
  snprintf(why, size, "%s: %s", c->path, strerror(bad));
  return false;
}

const tern_meter_kind tern_meter_perf = {
    .name = "perf", .poll = 1, .open = perf_open, .read = perf_read, .close = perf_close};
