/* CPU quota and memory limit of the process's control groups, v1 and v2: the
 * tightest from its group up to the root. In a container the path below the
 * mount may be missing; then only the levels that exist count. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* A level's own CPUs; the nearest that names any counts, and is read first. */
static void note_cpuset(tern_cgroup *g, const char *folder, const char *file) {
  char path[PATH_MAX], line[sizeof g->cpuset];
  if (g->cpuset[0] || snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) return;
  FILE *f = fopen(path, "re");
  if (!f) return;
  if (fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = '\0';
    snprintf(g->cpuset, sizeof g->cpuset, "%s", line);
  }
  fclose(f);
}

static void level_v2(tern_cgroup *g, const char *folder) {
  note_cpuset(g, folder, "cpuset.cpus.effective");
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

static void level_v1_cpuset(tern_cgroup *g, const char *folder) {
  note_cpuset(g, folder, "cpuset.effective_cpus");
  note_cpuset(g, folder, "cpuset.cpus");
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

/* The v1 folder of a controller: named by the whole list ("cpu,cpuacct") or by
 * itself alone. */
static void climb_v1(tern_cgroup *g, const char *root, const char *list, const char *controller, const char *path,
                     void (*level)(tern_cgroup *, const char *)) {
  const char *const names[] = {list, controller};
  for (int i = 0; i < 2; i++) {
    char mount[PATH_MAX], copy[PATH_MAX];
    snprintf(mount, sizeof mount, "%s/%s", root, names[i]);
    snprintf(copy, sizeof copy, "%s", path);
    if (access(mount, X_OK) != 0) continue;
    if (!strstr(g->version, "v1")) memcpy(g->version, "v1", 3);
    climb(g, mount, copy, level);
    return;
  }
}

/* v2 alone is mounted at the root, beside v1 controllers in "unified". */
static void climb_v2(tern_cgroup *g, const char *root, const char *path) {
  static const char *const mounts[] = {"", "/unified"};
  for (int i = 0; i < 2; i++) {
    char mount[PATH_MAX], file[PATH_MAX], copy[PATH_MAX];
    snprintf(mount, sizeof mount, "%s%s", root, mounts[i]);
    snprintf(copy, sizeof copy, "%s", path);
    climb(g, mount, copy, level_v2);
    if (snprintf(file, sizeof file, "%s/cgroup.controllers", mount) < (int)sizeof file && access(file, R_OK) == 0 &&
        !strstr(g->version, "v2"))
      strcat(g->version, g->version[0] ? "+v2" : "v2");
  }
}

tern_cgroup tern_cgroup_probe(const char *proc_cgroup, const char *root) {
  static const struct {
    const char *controller;
    void (*level)(tern_cgroup *, const char *);
  } v1[] = {{"cpu", level_v1_cpu}, {"memory", level_v1_memory}, {"cpuset", level_v1_cpuset}};
  tern_cgroup g = {0};
  FILE *f = fopen(proc_cgroup, "re");
  if (!f) return g;
  char line[PATH_MAX];
  while (fgets(line, sizeof line, f)) { /* v1 lines come first, "0::" last */
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *path++ = '\0';
    controllers++;
    for (size_t i = 0; i < sizeof v1 / sizeof *v1; i++)
      if (has_controller(controllers, v1[i].controller))
        climb_v1(&g, root, controllers, v1[i].controller, path, v1[i].level);
    if (controllers[0] == '\0') climb_v2(&g, root, path);
  }
  fclose(f);
  return g;
}
