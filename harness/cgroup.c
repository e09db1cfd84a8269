/* CPU quota and memory limit of the process's control groups, v1 and v2: the
 * tightest from its group up to the root. In a container the path below the
 * mount may be missing; then only the levels that exist count. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/machine.h"

/* First two numbers of a file; "max" and other words stop it. Numbers read. */
static int numbers(const char *folder, const char *file, double *a, double *b) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) return 0;
  FILE *f = fopen(path, "re");
  if (!f) return 0;
  int n = fscanf(f, "%lf %lf", a, b);
  fclose(f);
  return n < 0 ? 0 : n;
}

static void tighten_cpus(tern_cgroup *g, double quota, double period) {
  if (quota <= 0 || period <= 0) return;
  if (g->cpus == 0 || quota / period < g->cpus) g->cpus = quota / period;
}

static void tighten_memory(tern_cgroup *g, double bytes) {
  /* v1 says "no limit" as the greatest page-aligned number. */
  if (bytes <= 0 || bytes > 1e18) return;
  if (g->memory == 0 || bytes < (double)g->memory) g->memory = (size_t)bytes;
}

static void level_v2(tern_cgroup *g, const char *folder) {
  double a, b;
  if (numbers(folder, "cpu.max", &a, &b) == 2) tighten_cpus(g, a, b);
  if (numbers(folder, "memory.max", &a, &b) >= 1) tighten_memory(g, a);
}

static void level_v1_cpu(tern_cgroup *g, const char *folder) {
  double quota, period, unused;
  if (numbers(folder, "cpu.cfs_quota_us", &quota, &unused) >= 1 &&
      numbers(folder, "cpu.cfs_period_us", &period, &unused) >= 1)
    tighten_cpus(g, quota, period);
}

static void level_v1_memory(tern_cgroup *g, const char *folder) {
  double a, unused;
  if (numbers(folder, "memory.limit_in_bytes", &a, &unused) >= 1) tighten_memory(g, a);
}

static bool has_controller(const char *list, const char *name) {
  size_t length = strlen(name);
  for (const char *at = list; at; at = strchr(at, ',')) {
    at += *at == ',';
    if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0')) return true;
  }
  return false;
}

/* Calls level() for mount + path and every folder above it down to the mount. */
static void climb(tern_cgroup *g, const char *mount, char *path, void (*level)(tern_cgroup *, const char *)) {
  char folder[PATH_MAX];
  for (;;) {
    if (snprintf(folder, sizeof folder, "%s%s", mount, path) < (int)sizeof folder) level(g, folder);
    char *slash = strrchr(path, '/');
    if (!slash) return;
    *slash = '\0';
  }
}

tern_cgroup tern_cgroup_probe(const char *proc_cgroup, const char *root) {
  tern_cgroup g = {0};
  FILE *f = fopen(proc_cgroup, "re");
  if (!f) return g;
  char line[PATH_MAX], mount[PATH_MAX];
  while (fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *path++ = '\0';
    controllers++;
    static const struct {
      const char *controller;
      void (*level)(tern_cgroup *, const char *);
    } v1[] = {{"cpu", level_v1_cpu}, {"memory", level_v1_memory}};
    char copy[PATH_MAX];
    for (size_t i = 0; i < sizeof v1 / sizeof *v1; i++) {
      if (!has_controller(controllers, v1[i].controller)) continue;
      snprintf(mount, sizeof mount, "%s/%s", root, controllers);
      snprintf(copy, sizeof copy, "%s", path);
      climb(&g, mount, copy, v1[i].level);
    }
    if (controllers[0] == '\0') climb(&g, root, path, level_v2);
  }
  fclose(f);
  return g;
}
