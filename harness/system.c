/* Sources: Documentation/admin-guide/pm/cpufreq.rst, intel_pstate.rst,
 * driver-api/thermal/sysfs-api.rst, admin-guide/mm/{transhuge,hugetlbpage}.rst. */
#include "harness/system.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/cpu_model.h"

enum { PATH = 1024 };

void tern_first_line(const char *root, const char *path, char *out, size_t size) {
  char whole[PATH];
  out[0] = '\0';
  if (snprintf(whole, sizeof whole, "%s%s", root, path) >= (int)sizeof whole) return;
  FILE *f = fopen(whole, "re");
  if (!f) return;
  if (!fgets(out, (int)size, f)) out[0] = '\0';
  out[strcspn(out, "\n")] = '\0';
  fclose(f);
}

/* A file's number; NAN when there is none. */
static double number(const char *root, const char *path) {
  char line[64], *end;
  tern_first_line(root, path, line, sizeof line);
  double value = strtod(line, &end);
  return end == line ? (double)NAN : value;
}

/* "always [madvise] never" -> "madvise" */
static void bracketed(const char *root, const char *path, char *out, size_t size) {
  char line[128];
  tern_first_line(root, path, line, sizeof line);
  char *open = strchr(line, '['), *close = open ? strchr(open, ']') : NULL;
  out[0] = '\0';
  if (!close) return;
  *close = '\0';
  snprintf(out, size, "%s", open + 1);
}

/* The clock where there is no frequency driver: "cpu MHz : 2596.142". */
static double mhz_of_cpuinfo(const char *root) {
  char path[PATH], line[256];
  double mhz = NAN;
  snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "cpu MHz : %lf", &mhz) == 1) break;
  if (f) fclose(f);
  return mhz;
}

static void probe_frequency(tern_system *s, const char *root) {
  static const char folder[] = "/sys/devices/system/cpu/cpu0/cpufreq/";
  static const char *const rates[] = {"scaling_cur_freq", "cpuinfo_min_freq", "cpuinfo_max_freq"};
  double *const to[] = {&s->mhz, &s->mhz_low, &s->mhz_top};
  char path[PATH];
  snprintf(path, sizeof path, "%sscaling_driver", folder);
  tern_first_line(root, path, s->frequency_driver, sizeof s->frequency_driver);
  snprintf(path, sizeof path, "%sscaling_governor", folder);
  tern_first_line(root, path, s->governor, sizeof s->governor);
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s%s", folder, rates[i]);
    *to[i] = number(root, path) / 1000;
  }
  if (isnan(s->mhz)) s->mhz = mhz_of_cpuinfo(root);
  /* One says "boost", the other "no turbo". */
  const double boost = number(root, "/sys/devices/system/cpu/cpufreq/boost"),
               no_turbo = number(root, "/sys/devices/system/cpu/intel_pstate/no_turbo");
  if (!isnan(boost))
    snprintf(s->boost, sizeof s->boost, "%s", boost != 0 ? "on" : "off");
  else if (!isnan(no_turbo))
    snprintf(s->boost, sizeof s->boost, "%s", no_turbo != 0 ? "off" : "on");
}

/* Calls each(s, root, path) for the folder's entries that begin with `start`. */
static void for_entries(tern_system *s, const char *root, const char *folder, const char *start,
                        void (*each)(tern_system *, const char *, const char *)) {
  char path[PATH];
  snprintf(path, sizeof path, "%s%s", root, folder);
  DIR *d = opendir(path);
  if (!d) return;
  for (const struct dirent *entry; (entry = readdir(d));)
    if (strncmp(entry->d_name, start, strlen(start)) == 0 &&
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
      each(s, root, path);
  closedir(d);
}

static void add_zone(tern_system *s, const char *root, const char *folder) {
  char path[PATH + 8];
  if (s->zone_count == TERN_MOST_ZONES) return;
  snprintf(path, sizeof path, "%s/temp", folder);
  const double milli = number(root, path);
  if (isnan(milli)) return;
  snprintf(path, sizeof path, "%s/type", folder);
  tern_first_line(root, path, s->zones[s->zone_count].type, sizeof s->zones[0].type);
  s->zones[s->zone_count++].celsius = milli / 1000;
}

static void add_throttling(tern_system *s, const char *root, const char *folder) {
  static const char *const counts[] = {"core_throttle_count", "package_throttle_count"};
  char path[PATH + 64];
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/thermal_throttle/%s", folder, counts[i]);
    const double n = number(root, path);
    if (!isnan(n)) s->throttled = (s->throttled < 0 ? 0 : s->throttled) + (int64_t)n;
  }
}

static void add_pool(tern_system *s, const char *root, const char *folder) {
  char path[PATH + 32];
  const char *digits = strrchr(folder, '-');
  if (s->huge_count == TERN_MOST_HUGE || !digits) return;
  snprintf(path, sizeof path, "%s/nr_hugepages", folder);
  const double total = number(root, path);
  snprintf(path, sizeof path, "%s/free_hugepages", folder);
  const double unused = number(root, path);
  s->huge[s->huge_count].kib = strtoll(digits + 1, NULL, 10);
  s->huge[s->huge_count].total = isnan(total) ? -1 : (int64_t)total;
  s->huge[s->huge_count++].free = isnan(unused) ? -1 : (int64_t)unused;
}

static int by_size(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int by_type(const void *a, const void *b) {
  return strcmp(a, b);
}

static double steal_share(const char *root) {
  char line[256];
  double t[8], sum = 0;
  tern_first_line(root, "/proc/stat", line, sizeof line);
  if (sscanf(line, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", t, t + 1, t + 2, t + 3, t + 4, t + 5, t + 6, t + 7) != 8)
    return (double)NAN;
  for (int i = 0; i < 8; i++) sum += t[i];
  return sum > 0 ? 100 * t[7] / sum : (double)NAN;
}

void tern_system_probe(tern_system *s, const char *root) {
  char path[PATH];
  memset(s, 0, sizeof *s);
  s->throttled = -1;
  snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
  tern_cpu_microarchitectures(path, s->microarchitecture, sizeof s->microarchitecture);
  probe_frequency(s, root);
  for_entries(s, root, "/sys/class/thermal", "thermal_zone", add_zone);
  for_entries(s, root, "/sys/devices/system/cpu", "cpu", add_throttling);
  for_entries(s, root, "/sys/kernel/mm/hugepages", "hugepages-", add_pool);
  /* Folders are listed in no order. */
  qsort(s->huge, (size_t)s->huge_count, sizeof *s->huge, by_size);
  qsort(s->zones, (size_t)s->zone_count, sizeof *s->zones, by_type);
  bracketed(root, "/sys/kernel/mm/transparent_hugepage/enabled", s->thp, sizeof s->thp);
  bracketed(root, "/sys/kernel/mm/transparent_hugepage/defrag", s->thp_defrag, sizeof s->thp_defrag);
  s->page_size = (size_t)sysconf(_SC_PAGESIZE);
  s->steal = steal_share(root);
}

static json_t *text(const char *s) {
  return s[0] ? json_string(s) : json_null();
}

static json_t *real(double v) {
  return isnan(v) ? json_null() : json_real(v);
}

static json_t *count(int64_t n) {
  return n < 0 ? json_null() : json_integer((json_int_t)n);
}

json_t *tern_system_json(const tern_system *s) {
  json_t *zones = json_array(), *pools = json_array();
  for (int i = 0; i < s->zone_count; i++)
    json_array_append_new(zones, json_pack("{s:s, s:f}", "type", s->zones[i].type, "celsius", s->zones[i].celsius));
  for (int i = 0; i < s->huge_count; i++)
    json_array_append_new(pools, json_pack("{s:I, s:o, s:o}", "kib", (json_int_t)s->huge[i].kib, "total",
                                           count(s->huge[i].total), "free", count(s->huge[i].free)));
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "microarchitecture",
                   text(s->microarchitecture), "boost", text(s->boost), "mhz", real(s->mhz), "mhz_low",
                   real(s->mhz_low), "mhz_top", real(s->mhz_top), "thermal_zones", zones, "throttled",
                   count(s->throttled), "page_bytes", json_integer((json_int_t)s->page_size), "huge_pages",
                   text(s->thp), "huge_pages_defrag", text(s->thp_defrag), "hugetlb", pools, "steal_percent",
                   real(s->steal));
}
