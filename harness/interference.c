/* Formats: proc(5), Documentation/scheduler/sched-stats.rst (run delay),
 * Documentation/accounting/psi.rst, Documentation/admin-guide/cgroup-v{1,2}. */
#include "harness/interference.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef enum measure {
  SHARE_OF_THREADS, /* of seconds x threads */
  SHARE_OF_TIME,    /* of seconds */
  PER_SECOND,       /* and thread */
  ANY,
  DROP /* share by which it fell */
} measure;

static const struct {
  const char *name;
  measure measure;
  double unit; /* seconds of one count, for shares; 0: the clock tick */
  double limit;
  const char *rule;
} kinds[TERN_DISTURBANCES] = {
    [TERN_BY_STEAL] = {"steal", SHARE_OF_THREADS, 0, 0.01, "over 1 % of CPU time stolen"},
    [TERN_BY_WAITING] = {"waiting", SHARE_OF_THREADS, 1e-9, 0.01, "threads waited over 1 % of their time"},
    [TERN_BY_SWITCHES] = {"switches", PER_SECOND, 0, 20, "over 20 involuntary switches a second and thread"},
    [TERN_BY_FAULTS] = {"faults", ANY, 0, 0, "any major page fault"},
    [TERN_BY_FREQUENCY] = {"frequency", DROP, 0, 0.05, "clock lower by over 5 % at the end"},
    [TERN_BY_HEAT] = {"heat", ANY, 0, 0, "any thermal throttle event"},
    [TERN_BY_QUOTA] = {"quota", ANY, 0, 0, "any throttled period of the control group"},
    [TERN_BY_CPU_PRESSURE] = {"cpu-pressure", SHARE_OF_TIME, 1e-6, 0.10, "some task waited for a CPU over 10 %"},
    [TERN_BY_MEMORY_PRESSURE] = {"memory-pressure", SHARE_OF_TIME, 1e-6, 0.01, "some task waited for memory over 1 %"},
    [TERN_BY_IO_PRESSURE] = {"io-pressure", SHARE_OF_TIME, 1e-6, 0.10, "some task waited for a disk over 10 %"},
};

const char *tern_disturbance_name(tern_disturbance d) {
  return kinds[d].name;
}
const char *tern_disturbance_rule(tern_disturbance d) {
  return kinds[d].rule;
}

static FILE *open_at(const tern_interference_source *s, const char *path) {
  char whole[PATH_MAX];
  if (snprintf(whole, sizeof whole, "%s/%s", s->root, path) >= (int)sizeof whole) return NULL;
  return fopen(whole, "re");
}

/* The number after `key` on the line that begins with it (key "": on the first
 * line); `format` reads it. */
static int64_t number_at(const tern_interference_source *s, const char *path, const char *key, const char *format) {
  char line[512];
  int64_t value = -1;
  FILE *f = open_at(s, path);
  if (!f) return -1;
  while (value < 0 && fgets(line, sizeof line, f))
    if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), format, &value) != 1) break;
  fclose(f);
  return value;
}

static void add(int64_t *sum, int64_t value) {
  if (value >= 0) *sum = (*sum < 0 ? 0 : *sum) + value;
}

static bool is_ours(const tern_interference_source *s, int cpu) {
  for (int i = 0; i < s->cpu_count; i++)
    if (s->cpus[i] == cpu) return true;
  return false;
}

static int64_t steal(const tern_interference_source *s) {
  static const char fields[] = "%*u %*u %*u %*u %*u %*u %*u %" SCNd64;
  if (s->cpu_count == 0) return number_at(s, "proc/stat", "cpu ", fields);
  char line[512];
  int64_t sum = -1, ticks;
  int cpu, at;
  FILE *f = open_at(s, "proc/stat");
  while (f && fgets(line, sizeof line, f) && strncmp(line, "cpu", 3) == 0)
    if (sscanf(line, "cpu%d%n", &cpu, &at) == 1 && is_ours(s, cpu) && sscanf(line + at, fields, &ticks) == 1)
      add(&sum, ticks);
  if (f) fclose(f);
  return sum;
}

static void process_folder(const tern_interference_source *s, char *text, size_t size) {
  if (s->pid > 0)
    snprintf(text, size, "proc/%ld", (long)s->pid);
  else
    snprintf(text, size, "proc/self");
}

static void read_threads(tern_interference *out, const tern_interference_source *s) {
  char process[64], path[PATH_MAX];
  process_folder(s, process, sizeof process);
  snprintf(path, sizeof path, "%s/stat", process);
  FILE *f = open_at(s, path);
  char line[1024] = "";
  if (f && fgets(line, sizeof line, f)) {
    const char *after_name = strrchr(line, ')'); /* a name may hold spaces */
    int64_t faults;
    if (after_name && sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %" SCNd64, &faults) == 1)
      out->values[TERN_BY_FAULTS] = faults;
  }
  if (f) fclose(f);
  snprintf(path, sizeof path, "%s/%s/task", s->root, process);
  DIR *d = opendir(path);
  for (struct dirent *thread; d && (thread = readdir(d));) {
    if (thread->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/task/%s/schedstat", process, thread->d_name);
    add(&out->values[TERN_BY_WAITING], number_at(s, path, "", "%*u %" SCNd64));
    snprintf(path, sizeof path, "%s/task/%s/status", process, thread->d_name);
    add(&out->values[TERN_BY_SWITCHES], number_at(s, path, "nonvoluntary_ctxt_switches:", "%" SCNd64));
  }
  if (d) closedir(d);
}

static void read_cpus(tern_interference *out, const tern_interference_source *s) {
  static const int first = 0;
  const int *cpus = s->cpu_count ? s->cpus : &first, count = s->cpu_count ? s->cpu_count : 1;
  char path[160];
  int64_t sum = -1;
  int told = 0;
  for (int i = 0; i < count; i++) {
    static const char *const events[] = {"core_throttle_count", "package_throttle_count"};
    snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", cpus[i]);
    int64_t khz = number_at(s, path, "", "%" SCNd64);
    told += khz >= 0;
    add(&sum, khz);
    for (size_t e = 0; e < sizeof events / sizeof *events; e++) {
      snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/thermal_throttle/%s", cpus[i], events[e]);
      add(&out->values[TERN_BY_HEAT], number_at(s, path, "", "%" SCNd64));
    }
  }
  if (told) out->values[TERN_BY_FREQUENCY] = sum / told;
}

/* cpu.stat of the process's group, or of the mount where a container does not
 * show the path below it. */
static void read_quota(tern_interference *out, const tern_interference_source *s) {
  char process[64], path[PATH_MAX], line[PATH_MAX];
  process_folder(s, process, sizeof process);
  snprintf(path, sizeof path, "%s/cgroup", process);
  FILE *f = open_at(s, path);
  while (f && out->values[TERN_BY_QUOTA] < 0 && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) continue;
    *group++ = '\0';
    controllers++;
    bool v1 = strcmp(controllers, "cpu") == 0 || strncmp(controllers, "cpu,", 4) == 0;
    if (!v1 && controllers[0]) continue;
    const char *below[] = {group, ""};
    for (int i = 0; i < 2 && out->values[TERN_BY_QUOTA] < 0; i++) {
      if (snprintf(path, sizeof path, "sys/fs/cgroup/%s%s/cpu.stat", controllers, below[i]) >= (int)sizeof path) break;
      out->values[TERN_BY_QUOTA] = number_at(s, path, "nr_throttled ", "%" SCNd64);
    }
  }
  if (f) fclose(f);
}

void tern_interference_read(tern_interference *out, const tern_interference_source *s) {
  static const char *const pressures[] = {"proc/pressure/cpu", "proc/pressure/memory", "proc/pressure/io"};
  for (int d = 0; d < TERN_DISTURBANCES; d++) out->values[d] = -1;
  out->values[TERN_BY_STEAL] = steal(s);
  read_threads(out, s);
  read_cpus(out, s);
  read_quota(out, s);
  for (int i = 0; i < 3; i++)
    out->values[TERN_BY_CPU_PRESSURE + i] =
        number_at(s, pressures[i], "some ", "avg10=%*s avg60=%*s avg300=%*s total=%" SCNd64);
}

static bool disturbed(tern_disturbance d, int64_t before, int64_t after, double seconds, int threads) {
  if (before < 0 || after < 0 || !(seconds > 0)) return false;
  double more = (double)(after - before), limit = kinds[d].limit;
  double unit = kinds[d].unit > 0 ? kinds[d].unit : 1 / (double)sysconf(_SC_CLK_TCK);
  switch (kinds[d].measure) {
  case SHARE_OF_THREADS:
    return more * unit > limit * seconds * threads;
  case SHARE_OF_TIME:
    return more * unit > limit * seconds;
  case PER_SECOND:
    return more > limit * seconds * threads;
  case ANY:
    return more > 0;
  case DROP:
    return -more > limit * (double)before;
  }
  return false;
}

unsigned tern_interference_judge(const tern_interference *before, const tern_interference *after, double seconds,
                                 int threads) {
  unsigned marks = 0;
  for (int d = 0; d < TERN_DISTURBANCES; d++)
    if (disturbed((tern_disturbance)d, before->values[d], after->values[d], seconds, threads)) marks |= 1U << d;
  return marks;
}

void tern_interference_text(unsigned marks, char *text, size_t size) {
  size_t used = 0;
  if (size) text[0] = '\0';
  for (int d = 0; d < TERN_DISTURBANCES; d++) {
    if (!(marks & 1U << d)) continue;
    size_t need = strlen(kinds[d].name) + (used > 0);
    if (used + need >= size) return;
    used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "+" : "", kinds[d].name);
  }
}

bool tern_interference_repeat(unsigned marks, int taken, int repeated) {
  return marks != 0 && repeated < 2 + taken / 4;
}
