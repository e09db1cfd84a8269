/* likwid-bench tells the mean of a window, so ours is a mean too; it asks for no
 * huge pages, so ours declines them unless every program gets them; and each
 * side has as many tries, in turn, with another of its kernels each time. */
#include "harness/likwid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/cpu_features.h"

enum { PASSES = 15, LONGEST_S = 10, MOST_READERS = 16 };
static const double OURS_S = 0.4;

/* Its kernels, and the feature (harness/cpu_features.h) that each needs. */
static const struct {
  const char *name, *feature;
} kernels[] = {{"load", NULL}, {"load_avx", "avx2"}, {"load_avx512", "avx512f"}};

static bool is_installed(void) {
  const char *path = getenv("PATH");
  char list[4096], program[4200], *rest;
  snprintf(list, sizeof list, "%s", path ? path : "");
  for (char *dir = strtok_r(list, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest)) {
    snprintf(program, sizeof program, "%s/likwid-bench", dir);
    if (access(program, X_OK) == 0) return true;
  }
  return false;
}

/* GB/s that one run of it prints ("MByte/s:  23987.64"); 0: none. */
static double run_once(const char *kernel, size_t bytes, int threads) {
  char command[256], line[256];
  double mbs = 0;
  snprintf(command, sizeof command, "timeout -k 2 %d likwid-bench -t %s -w N:%zukB:%d -i %d 2>/dev/null", LONGEST_S,
           kernel, bytes / 1000, threads, PASSES);
  FILE *out = popen(command, "re");
  if (!out) return 0;
  while (fgets(line, sizeof line, out)) sscanf(line, "MByte/s: %lf", &mbs);
  pclose(out);
  return mbs * 1e-3;
}

/* The mean of one reader's passes, while all readers take turns. */
static int measure_ours(tern_likwid *l, tern_bandwidth *b, int turn, const int *cpus, tern_error *e) {
  tern_bandwidth_rate rates[MOST_READERS];
  if (tern_bandwidth_each(b, l->threads, cpus, OURS_S, rates, e)) return (int)e->status;
  const double mean = rates[turn % tern_bandwidth_readers(b)].mean;
  if (mean > l->ours) l->ours = mean;
  return 0;
}

int tern_likwid_compare(tern_likwid *l, const tern_machine *m, tern_error *e) {
  const tern_topology *t = &m->topology;
  tern_bandwidth *b;
  *l = (tern_likwid){.threads = tern_machine_cores(m)};
  if (!is_installed()) {
    snprintf(l->why, sizeof l->why, "not installed (Debian: apt-get install likwid)");
    return 0;
  }
  l->pages = strcmp(m->system.thp, "always") == 0 ? TERN_PAGES_HUGE : TERN_PAGES_SMALL;
  if (tern_bandwidth_open(&b, t->l3 ? t->l3 : t->l2, l->pages, e)) return (int)e->status;
  int bad = 0, turn = 0;
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels && !bad; i++) {
    if (kernels[i].feature && !tern_cpu_runs(kernels[i].feature)) continue;
    bad = measure_ours(l, b, turn++, t->order, e);
    const double gbs = bad ? 0 : run_once(kernels[i].name, tern_bandwidth_bytes(b), l->threads);
    if (gbs <= l->gbs) continue;
    l->gbs = gbs;
    snprintf(l->kernel, sizeof l->kernel, "%s", kernels[i].name);
  }
  tern_bandwidth_close(b);
  l->compared = l->gbs > 0;
  if (!l->compared)
    snprintf(l->why, sizeof l->why, "likwid-bench gives no figure here (try: likwid-bench -t load -w N:100MB:1)");
  return bad;
}
