/* Facts about the machine from /proc and /sys; cgroup.c and topology.c hold
 * the longer ones. */
#include "harness/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/base/memory.h"

/* First line of a file without its newline; empty when it can't be read. */
static void first_line(const char *path, char *out, size_t size) {
  out[0] = '\0';
  FILE *f = fopen(path, "re");
  if (!f) return;
  if (!fgets(out, (int)size, f)) out[0] = '\0';
  out[strcspn(out, "\n")] = '\0';
  fclose(f);
}

static size_t memory_total(void) {
  unsigned long long kib = 0;
  char line[128];
  FILE *f = fopen("/proc/meminfo", "re");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "MemTotal: %llu", &kib) == 1) break;
  if (f) fclose(f);
  return (size_t)kib * 1024;
}

/* "always [madvise] never" -> "madvise" */
static void bracketed(const char *path, char *out, size_t size) {
  char line[128];
  first_line(path, line, sizeof line);
  char *open = strchr(line, '['), *close = open ? strchr(open, ']') : NULL;
  out[0] = '\0';
  if (!close) return;
  *close = '\0';
  snprintf(out, size, "%s", open + 1);
}

static bool cpuinfo_has_flag(const char *flag) {
  char line[8192], word[64];
  bool found = false;
  snprintf(word, sizeof word, " %s", flag);
  FILE *f = fopen("/proc/cpuinfo", "re");
  while (f && !found && fgets(line, sizeof line, f)) {
    if (strncmp(line, "flags", 5) != 0) continue;
    for (char *at = line; !found && (at = strstr(at, word)); at++) found = strchr(" \n", at[strlen(word)]) != NULL;
    break;
  }
  if (f) fclose(f);
  return found;
}

static void add_sign(char *out, size_t size, const char *sign) {
  size_t used = strlen(out);
  snprintf(out + used, size - used, "%s%s", used ? ", " : "", sign);
}

static void find_virtualisation(char *out, size_t size) {
  static const char *const products[] = {"KVM",    "QEMU",       "VMware",   "VirtualBox", "Virtual Machine",
                                         "Google", "Amazon EC2", "HVM domU", "Bochs",      "Firecracker"};
  char line[96];
  out[0] = '\0';
  if (cpuinfo_has_flag("hypervisor")) add_sign(out, size, "hypervisor flag of the CPU");
  first_line("/sys/hypervisor/type", line, sizeof line);
  if (line[0]) add_sign(out, size, line);
  first_line("/sys/class/dmi/id/product_name", line, sizeof line);
  for (size_t i = 0; i < sizeof products / sizeof *products; i++)
    if (strstr(line, products[i])) {
      add_sign(out, size, products[i]);
      break;
    }
  if (access("/.dockerenv", F_OK) == 0) add_sign(out, size, "container (docker)");
  first_line("/run/systemd/container", line, sizeof line);
  if (line[0]) add_sign(out, size, "container");
}

int tern_machine_probe(tern_machine *m, tern_error *e) {
  memset(m, 0, sizeof *m);
  if (tern_topology_probe(&m->topology, &m->topology_xml, e)) return (int)e->status;
  m->cgroup = tern_cgroup_probe("/proc/self/cgroup", "/sys/fs/cgroup");
  m->memory_total = memory_total();
  m->memory_available = tern_memory_available();
  m->page_size = (size_t)sysconf(_SC_PAGESIZE);
  bracketed("/sys/kernel/mm/transparent_hugepage/enabled", m->huge_pages, sizeof m->huge_pages);
  first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", m->governor, sizeof m->governor);
  first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", m->frequency_driver, sizeof m->frequency_driver);
  find_virtualisation(m->virtualisation, sizeof m->virtualisation);
  struct utsname u;
  if (uname(&u) == 0) snprintf(m->os, sizeof m->os, "%.16s %.48s %.16s", u.sysname, u.release, u.machine);
  return 0;
}

void tern_machine_free(tern_machine *m) {
  free(m->topology_xml);
  m->topology_xml = NULL;
}

int tern_machine_cores(const tern_machine *m) {
  int cores = m->topology.allowed_cores > 0 ? m->topology.allowed_cores : 1;
  if (m->cgroup.cpus > 0 && m->cgroup.cpus < cores) cores = m->cgroup.cpus < 1 ? 1 : (int)m->cgroup.cpus;
  return cores;
}

int64_t tern_steal_ticks(void) {
  long long ticks = -1;
  FILE *f = fopen("/proc/stat", "re");
  if (!f) return -1;
  if (fscanf(f, "cpu %*u %*u %*u %*u %*u %*u %*u %lld", &ticks) != 1) ticks = -1;
  fclose(f);
  return ticks;
}
