/* RAPL through the kernel's powercap tree (class/powercap/intel-rapl:*; AMD
 * too). Zones are known by their `name`, never by number. Packages with their
 * DRAM, or psys where there is no package: psys contains both, so they are
 * never added. intel-rapl-mmio shows the same registers again and is left out.
 * Kernel: Documentation/power/powercap/powercap.rst. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/progress.h"
#include "harness/energy.h"

enum { MOST_ZONES = 64 };

/* Registers move about every millisecond; one that has not after this is frozen. */
static const double PROBE_S = 0.02;
/* A socket's power is below this: bounds the time in which a counter can wrap once at most. */
static const double MOST_WATTS = 1000;

typedef enum zone_kind { ZONE_PACKAGE, ZONE_DRAM, ZONE_PSYS, ZONE_OTHER } zone_kind;

typedef struct zone {
  zone_kind kind;
  char name[32], folder[288];
  uint64_t range;  /* uJ at which the counter starts again; 0: not told */
  uint64_t before; /* uJ at the start of the window */
} zone;

typedef struct powercap {
  char root[512];
  zone zones[MOST_ZONES];
  int count;
  char scope[32], broken[128];
  double started;
} powercap;

static zone_kind kind_of(const char *name) {
  if (strncmp(name, "package-", 8) == 0) return ZONE_PACKAGE;
  if (strcmp(name, "dram") == 0) return ZONE_DRAM;
  return strcmp(name, "psys") == 0 ? ZONE_PSYS : ZONE_OTHER;
}

/* First line of <root>/class/powercap/<folder>/<file>; 0 or errno. */
static int read_line(const char *root, const char *folder, const char *file, char *line, int size) {
  char path[1024];
  snprintf(path, sizeof path, "%s/class/powercap/%s/%s", root, folder, file);
  FILE *f = fopen(path, "re");
  if (!f) return errno;
  errno = 0;
  bool got = fgets(line, size, f) != NULL;
  int bad = got ? 0 : errno ? errno : EIO;
  fclose(f);
  if (got) line[strcspn(line, "\n")] = '\0';
  return bad;
}

static int read_number(const char *root, const char *folder, const char *file, uint64_t *out) {
  char line[64], *end;
  int bad = read_line(root, folder, file, line, sizeof line);
  if (bad) return bad;
  errno = 0;
  *out = strtoull(line, &end, 10);
  return errno ? errno : end == line || *end ? EINVAL : 0;
}

static int by_folder(const void *a, const void *b) {
  return strcmp(((const zone *)a)->folder, ((const zone *)b)->folder);
}

/* Every zone of the control type intel-rapl; the number found, -1: no tree. */
static int list_zones(powercap *p) {
  char path[1024];
  snprintf(path, sizeof path, "%s/class/powercap", p->root);
  DIR *d = opendir(path);
  if (!d) return -1;
  for (struct dirent *entry; (entry = readdir(d)) && p->count < MOST_ZONES;) {
    zone *z = &p->zones[p->count];
    if (strncmp(entry->d_name, "intel-rapl:", 11) != 0) continue;
    if (read_line(p->root, entry->d_name, "name", z->name, sizeof z->name) != 0) continue;
    snprintf(z->folder, sizeof z->folder, "%s", entry->d_name);
    z->kind = kind_of(z->name);
    if (read_number(p->root, z->folder, "max_energy_range_uj", &z->range) != 0) z->range = 0;
    p->count++;
  }
  closedir(d);
  qsort(p->zones, (size_t)p->count, sizeof *p->zones, by_folder);
  return p->count;
}

static int count_kind(const powercap *p, zone_kind kind) {
  int n = 0;
  for (int i = 0; i < p->count; i++) n += p->zones[i].kind == kind;
  return n;
}

static void drop_kind(powercap *p, zone_kind kind) {
  int kept = 0;
  for (int i = 0; i < p->count; i++)
    if (p->zones[i].kind != kind) p->zones[kept++] = p->zones[i];
  p->count = kept;
}

/* uJ since `before`, over one wrap at most; false with a reason otherwise. */
static bool advance(const powercap *p, const zone *z, double elapsed, uint64_t *uj, char *why, size_t size) {
  uint64_t now;
  int bad = read_number(p->root, z->folder, "energy_uj", &now);
  if (bad) {
    snprintf(why, size, "powercap %s (%s): %s%s", z->folder, z->name, strerror(bad),
             bad == EACCES || bad == EPERM ? "; energy_uj is for root since Linux 5.10" : "");
    return false;
  }
  if (z->range && elapsed * MOST_WATTS * 1e6 > (double)z->range) {
    snprintf(why, size, "powercap %s (%s): in %.0f s the counter may have wrapped twice", z->folder, z->name, elapsed);
    return false;
  }
  if (now < z->before && z->range < z->before) {
    snprintf(why, size, "powercap %s (%s): the counter went backwards", z->folder, z->name);
    return false;
  }
  *uj = now >= z->before ? now - z->before : z->range - z->before + now;
  return true;
}

static bool mark_start(powercap *p, zone_kind kind, char *why, size_t size) {
  for (int i = 0; i < p->count; i++) {
    zone *z = &p->zones[i];
    z->before = 0;
    if (z->kind == kind && !advance(p, z, 0, &z->before, why, size)) return false;
  }
  return true;
}

/* Whether every zone of the kind can be read and moves while a core works. */
static bool alive(powercap *p, zone_kind kind, char *why, size_t size) {
  if (!mark_start(p, kind, why, size)) return false;
  for (double until = tern_now() + PROBE_S; tern_now() < until;)
    ;
  for (int i = 0; i < p->count; i++) {
    const zone *z = &p->zones[i];
    uint64_t uj = 0;
    if (z->kind != kind) continue;
    if (!advance(p, z, PROBE_S, &uj, why, size)) return false;
    if (uj == 0) {
      snprintf(why, size, "powercap %s (%s): the counter does not move%s", z->folder, z->name,
               z->before == 0 ? " from 0, as in virtual machines" : "");
      return false;
    }
  }
  return true;
}

/* Keeps the zones that are added up; false with the reason. */
static bool choose(powercap *p, char *why, size_t size) {
  drop_kind(p, ZONE_OTHER);
  if (count_kind(p, ZONE_PACKAGE) == 0) {
    if (count_kind(p, ZONE_PSYS) == 0) {
      snprintf(why, size, "powercap: no package or psys zone under %s/class/powercap", p->root);
      return false;
    }
    drop_kind(p, ZONE_DRAM);
    snprintf(p->scope, sizeof p->scope, "psys");
    return alive(p, ZONE_PSYS, why, size);
  }
  drop_kind(p, ZONE_PSYS);
  if (!alive(p, ZONE_PACKAGE, why, size)) return false;
  char without[160];
  bool dram = count_kind(p, ZONE_DRAM) > 0 && alive(p, ZONE_DRAM, without, sizeof without);
  if (!dram) drop_kind(p, ZONE_DRAM);
  snprintf(p->scope, sizeof p->scope, "%s", dram ? "package+dram" : "package");
  return true;
}

static void *powercap_open(const char *sysfs_root, char *source, size_t source_size, char *why, size_t why_size) {
  powercap *p = calloc(1, sizeof *p);
  if (!p) {
    snprintf(why, why_size, "powercap: out of memory");
    return NULL;
  }
  snprintf(p->root, sizeof p->root, "%s", sysfs_root);
  int found = list_zones(p);
  if (found < 0) snprintf(why, why_size, "powercap: no %s/class/powercap", p->root);
  if (found < 0 || !choose(p, why, why_size)) {
    free(p);
    return NULL;
  }
  size_t used = 0;
  for (int i = 0; i < p->count && used < source_size; i++)
    used += (size_t)snprintf(source + used, source_size - used, "%s%s (%s)", i ? ", " : "", p->zones[i].name,
                             p->zones[i].folder);
  return p;
}

static void powercap_start(void *state) {
  powercap *p = state;
  p->broken[0] = '\0';
  for (int i = 0; i < p->count; i++) {
    zone *z = &p->zones[i];
    z->before = 0;
    if (!advance(p, z, 0, &z->before, p->broken, sizeof p->broken)) break;
  }
  p->started = tern_now();
}

static void powercap_stop(void *state, tern_reading *out) {
  powercap *p = state;
  double elapsed = tern_now() - p->started, joules = 0;
  if (p->broken[0]) {
    snprintf(out->why, sizeof out->why, "%s", p->broken);
    return;
  }
  for (int i = 0; i < p->count; i++) {
    const zone *z = &p->zones[i];
    uint64_t uj = 0;
    if (!advance(p, z, elapsed, &uj, out->why, sizeof out->why)) return;
    if (uj == 0 && z->kind != ZONE_DRAM) {
      snprintf(out->why, sizeof out->why, "powercap %s (%s): the counter did not move", z->folder, z->name);
      return;
    }
    joules += (double)uj * 1e-6;
  }
  out->value = joules;
  out->how = TERN_MEASURED;
  snprintf(out->scope, sizeof out->scope, "%s", p->scope);
}

static void powercap_close(void *state) {
  free(state);
}

const tern_meter_kind tern_meter_powercap = {"powercap", powercap_open, powercap_start, powercap_stop, powercap_close};
