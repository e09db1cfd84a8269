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
#include "harness/cpu_model.h"

static FILE *open_under(const char *root, const char *path) {
  char whole[1024];
  snprintf(whole, sizeof whole, "%s%s", root, path);
  return fopen(whole, "re");
}

static size_t memory_total(const char *root) {
  unsigned long long kib = 0;
  char line[128];
  FILE *f = open_under(root, "/proc/meminfo");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "MemTotal: %llu", &kib) == 1) break;
  if (f) fclose(f);
  return (size_t)kib * 1024;
}

static bool cpuinfo_has_flag(const char *root, const char *flag) {
  char line[8192], word[64];
  bool found = false;
  snprintf(word, sizeof word, " %s", flag);
  FILE *f = open_under(root, "/proc/cpuinfo");
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

static void find_virtualisation(const char *root, char *out, size_t size) {
  static const char *const products[] = {"KVM",    "QEMU",       "VMware",   "VirtualBox", "Virtual Machine",
                                         "Google", "Amazon EC2", "HVM domU", "Bochs",      "Firecracker"};
  char line[96];
  out[0] = '\0';
  if (cpuinfo_has_flag(root, "hypervisor")) add_sign(out, size, "hypervisor flag of the CPU");
  tern_first_line(root, "/sys/hypervisor/type", line, sizeof line);
  if (line[0]) add_sign(out, size, line);
  tern_first_line(root, "/sys/class/dmi/id/product_name", line, sizeof line);
  for (size_t i = 0; i < sizeof products / sizeof *products; i++)
    if (strstr(line, products[i])) {
      add_sign(out, size, products[i]);
      break;
    }
  FILE *docker = open_under(root, "/.dockerenv");
  if (docker) {
    fclose(docker);
    add_sign(out, size, "container (docker)");
  }
  tern_first_line(root, "/run/systemd/container", line, sizeof line);
  if (line[0]) add_sign(out, size, "container");
}

int tern_machine_probe_at(tern_machine *m, const char *root, tern_error *e) {
  char groups[1024], mount[1024];
  memset(m, 0, sizeof *m);
  if (tern_topology_probe(&m->topology, &m->topology_xml, e)) return (int)e->status;
  snprintf(groups, sizeof groups, "%s/proc/self/cgroup", root);
  snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
  m->cgroup = tern_cgroup_probe(groups, mount);
  tern_system_probe(&m->system, root);
  m->memory_total = memory_total(root);
  m->memory_available = tern_memory_available();
  find_virtualisation(root, m->virtualisation, sizeof m->virtualisation);
  tern_cpu_hypervisor(m->hypervisor, sizeof m->hypervisor);
  struct utsname u;
  if (uname(&u) == 0) snprintf(m->os, sizeof m->os, "%.16s %.48s %.16s", u.sysname, u.release, u.machine);
  return 0;
}

int tern_machine_probe(tern_machine *m, tern_error *e) {
  return tern_machine_probe_at(m, "", e);
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
