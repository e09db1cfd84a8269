/* RAPL through the kernel's powercap tree (class/powercap/intel-rapl:*; AMD
 * too). Zones are known by their `name`, never by number. intel-rapl-mmio shows
 * the same registers again: its zones count only where the first tree has none
 * of that name. Kernel: Documentation/power/powercap/powercap.rst. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/meter_rapl.h"
#include "harness/meter_sysfs.h"

#define FOLDER "class/powercap"

static tern_domain domain_of(const char *name) {
  static const struct {
    const char *prefix;
    tern_domain domain;
  } table[] = {{"package-", TERN_DOMAIN_PACKAGE},
               {"core", TERN_DOMAIN_CORE},
               {"uncore", TERN_DOMAIN_UNCORE},
               {"dram", TERN_DOMAIN_DRAM},
               {"psys", TERN_DOMAIN_PSYS}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strncmp(name, table[i].prefix, strlen(table[i].prefix)) == 0) return table[i].domain;
  return TERN_DOMAIN_OTHER;
}

/* "package-0/dram" for a zone within a package: intel-rapl:0:2 lies in intel-rapl:0. */
static void full_name(const tern_source *s, const char *folder, const char *name, char *out, size_t size) {
  char parent[64], above[32];
  snprintf(parent, sizeof parent, "%.63s", folder);
  char *first = strchr(parent, ':'), *last = strrchr(parent, ':');
  if (first && first != last) {
    *last = '\0';
    if (tern_sysfs_line(s, above, sizeof above, FOLDER "/%s/name", parent) == 0) {
      snprintf(out, size, "%.31s/%.15s", above, name);
      return;
    }
  }
  snprintf(out, size, "%.47s", name);
}

static bool listed(const tern_source *s, const char *name) {
  for (int i = 0; i < s->count; i++)
    if (strcmp(s->channels[i].name, name) == 0) return true;
  return false;
}

static void list_zones(tern_source *s, const char *prefix) {
  tern_sysfs_name folders[TERN_MOST_CHANNELS];
  int n = tern_sysfs_list(s, FOLDER, prefix, folders, TERN_MOST_CHANNELS);
  for (int i = 0; i < n; i++) {
    char name[32], whole[48], path[224];
    int64_t range;
    if (tern_sysfs_line(s, name, sizeof name, FOLDER "/%s/name", folders[i]) != 0) continue;
    full_name(s, folders[i], name, whole, sizeof whole);
    if (listed(s, whole)) continue;
    snprintf(path, sizeof path, FOLDER "/%.63s/energy_uj", folders[i]);
    tern_channel *c = tern_source_add(s, domain_of(name), whole, path);
    if (!c) return;
    c->unit = 1e-6;
    bool told = tern_sysfs_integer(s, &range, FOLDER "/%s/max_energy_range_uj", folders[i]) == 0 && range > 0;
    c->range = told ? (uint64_t)range : 0;
  }
}

static void *powercap_open(tern_source *s) {
  tern_sysfs_name any[1];
  if (tern_sysfs_list(s, FOLDER, "", any, 1) < 0) return tern_source_refuse(s, "no %s/" FOLDER, s->root);
  list_zones(s, "intel-rapl:");
  list_zones(s, "intel-rapl-mmio:");
  snprintf(s->fact.unit, sizeof s->fact.unit, "uJ");
  snprintf(s->fact.remedy, sizeof s->fact.remedy, "sudo chmod a+r %s/" FOLDER "/intel-rapl*/energy_uj", s->root);
  if (!tern_rapl_choose(s)) {
    if (!s->fact.denied) s->fact.remedy[0] = '\0';
    return NULL;
  }
  return s;
}

static bool powercap_read(tern_source *s, int channel, tern_level *out, char *why, size_t size) {
  tern_channel *c = &s->channels[channel];
  int64_t value;
  int bad = tern_sysfs_integer(s, &value, "%s", c->path);
  if (!bad && value < 0) bad = EINVAL;
  if (!bad) {
    out->count = (uint64_t)value;
    return true;
  }
  c->denied = bad == EACCES || bad == EPERM;
  snprintf(why, size, "%s: %s%s", c->path, strerror(bad), c->denied ? " (for root since Linux 5.10)" : "");
  return false;
}

static void powercap_close(tern_source *s) {
  (void)s;
}

const tern_meter_kind tern_meter_powercap = {
    .name = "powercap", .poll = 1, .open = powercap_open, .read = powercap_read, .close = powercap_close};
