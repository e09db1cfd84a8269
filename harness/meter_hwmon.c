/* hwmon: energyN_input (uJ) and powerN_input or _average (uW) of any driver.
 * What a channel covers is not written there, so it is known from the driver's
 * name; a channel of an unknown driver counts only when the user names it.
 * INA3221 has a file of its own. Kernel: Documentation/hwmon/sysfs-interface. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/meter_poll.h"
#include "harness/meter_sysfs.h"

#define FOLDER "class/hwmon"

enum { MOST_DEVICES = 64, MOST_FILES = 96 };
/* Energy counters of out-of-tree AMD drivers move every 100 ms to 1 s. */
static const double WATCH_S = 1.5;

/* First row that fits; a NULL label fits every one. */
static const struct {
  const char *driver, *label;
  tern_domain domain;
} drivers[] = {
    {"power_meter", NULL, TERN_DOMAIN_MACHINE}, /* ACPI: the machine's input */
    {"macsmc_hwmon", "Total System Power", TERN_DOMAIN_MACHINE},
    {"ibmpowernv", "System", TERN_DOMAIN_MACHINE},
    {"corsairpsu", "power total", TERN_DOMAIN_MACHINE},
    {"amd_energy", "Esocket", TERN_DOMAIN_PACKAGE},
    {"amd_energy", "Ecore", TERN_DOMAIN_CORE},
    {"fam15h_power", NULL, TERN_DOMAIN_PACKAGE},
};

static tern_domain domain_of(const char *driver, const char *label) {
  for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
    const char *begins = drivers[i].label;
    if (strcmp(driver, drivers[i].driver) != 0) continue;
    if (!begins || strncmp(label, begins, strlen(begins)) == 0) return drivers[i].domain;
  }
  return TERN_DOMAIN_OTHER;
}

/* "power1_input" -> "power1"; false for other files. An average goes only
 * where there is no instant value. */
static bool channel_stem(const char *file, const char *prefix, const char *suffix, char *stem, size_t size) {
  size_t length = strlen(file), tail = strlen(suffix);
  if (strncmp(file, prefix, strlen(prefix)) != 0 || length <= tail) return false;
  if (strcmp(file + length - tail, suffix) != 0) return false;
  snprintf(stem, size, "%.*s", (int)(length - tail), file);
  return true;
}

static bool has(const tern_sysfs_name *files, int n, const char *stem, const char *suffix) {
  char name[80];
  snprintf(name, sizeof name, "%s%s", stem, suffix);
  for (int i = 0; i < n; i++)
    if (strcmp(files[i], name) == 0) return true;
  return false;
}

static void add_channel(tern_source *s, const char *device, const char *driver, const char *stem, const char *file,
                        bool power) {
  char label[64], name[48], path[224];
  if (tern_sysfs_line(s, label, sizeof label, FOLDER "/%s/%s_label", device, stem) != 0)
    snprintf(label, sizeof label, "%s", stem);
  snprintf(name, sizeof name, "%.23s/%.23s", driver, label);
  snprintf(path, sizeof path, FOLDER "/%.63s/%.63s", device, file);
  tern_channel *c = tern_source_add(s, domain_of(driver, label), name, path);
  if (!c) return;
  c->power = power;
  c->unit = 1e-6;
  int64_t ms;
  if (power && tern_sysfs_integer(s, &ms, FOLDER "/%s/%s_interval", device, stem) == 0 && ms > 0)
    c->interval = (double)ms * 1e-3;
  else if (tern_sysfs_integer(s, &ms, FOLDER "/%s/update_interval", device) == 0 && ms > 0)
    c->interval = (double)ms * 1e-3;
}

static void list_device(tern_source *s, const char *device) {
  char driver[32], folder[128], stem[64];
  tern_sysfs_name files[MOST_FILES];
  if (tern_sysfs_line(s, driver, sizeof driver, FOLDER "/%s/name", device) != 0) return;
  if (strcmp(driver, "ina3221") == 0) return;
  snprintf(folder, sizeof folder, FOLDER "/%.63s", device);
  int n = tern_sysfs_list(s, folder, "energy", files, MOST_FILES);
  for (int i = 0; i < n; i++)
    if (channel_stem(files[i], "energy", "_input", stem, sizeof stem))
      add_channel(s, device, driver, stem, files[i], false);
  n = tern_sysfs_list(s, folder, "power", files, MOST_FILES);
  for (int i = 0; i < n; i++)
    if (channel_stem(files[i], "power", "_input", stem, sizeof stem) ||
        (channel_stem(files[i], "power", "_average", stem, sizeof stem) && !has(files, n, stem, "_input")))
      add_channel(s, device, driver, stem, files[i], true);
}

/* Whether the user's word means this channel: "driver", "label" or both. */
static bool meant(const tern_channel *c, const char *word) {
  const char *slash = strchr(c->name, '/');
  return strcmp(c->name, word) == 0 || strcmp(slash + 1, word) == 0 ||
         (strlen(word) == (size_t)(slash - c->name) && strncmp(c->name, word, strlen(word)) == 0);
}

/* Marks what counts; how many. Of a machine's input one channel, of packages all of one kind. */
static int count_channels(tern_source *s) {
  static const struct {
    tern_domain domain;
    const char *scope;
    int most;
  } rules[] = {{TERN_DOMAIN_MACHINE, "machine", 1}, {TERN_DOMAIN_PACKAGE, "package", TERN_MOST_CHANNELS}};
  int n = 0;
  for (int i = 0; s->argument[0] && i < s->count; i++)
    if (meant(&s->channels[i], s->argument)) s->channels[i].counted = ++n > 0;
  if (n) snprintf(s->fact.scope, sizeof s->fact.scope, "%.31s", s->argument);
  for (size_t r = 0; !s->argument[0] && n == 0 && r < sizeof rules / sizeof *rules; r++) {
    bool power = false;
    for (int i = 0; i < s->count && n < rules[r].most; i++) {
      tern_channel *c = &s->channels[i];
      if (c->domain != rules[r].domain || (n > 0 && c->power != power)) continue;
      power = c->power;
      c->counted = ++n > 0;
      snprintf(s->fact.scope, sizeof s->fact.scope, "%s", rules[r].scope);
    }
  }
  return n;
}

/* Whether every channel that counts can be read and says something. */
static bool alive(tern_source *s) {
  double watts = 0;
  int powers = 0;
  bool counters = false;
  for (int i = 0; i < s->count; i++) counters = counters || (s->channels[i].counted && !s->channels[i].power);
  tern_poll_watch(s, counters ? WATCH_S : 0.002);
  for (int i = 0; i < s->count; i++) {
    const tern_channel *c = &s->channels[i];
    if (!c->counted) continue;
    s->fact.denied = c->denied;
    if (c->why[0]) return tern_source_refuse(s, "%s", c->why) != NULL;
    if (!c->power && !c->moves) return tern_source_refuse(s, "%s: the counter does not move", c->name) != NULL;
    powers += c->power;
    if (c->power) watts += c->last.watts;
    snprintf(s->fact.unit, sizeof s->fact.unit, c->power ? "uW" : "uJ");
  }
  if (powers && !(watts > 0)) return tern_source_refuse(s, "reads %.3g W: no measurement", watts) != NULL;
  return true;
}

static void *hwmon_open(tern_source *s) {
  tern_sysfs_name devices[MOST_DEVICES];
  int n = tern_sysfs_list(s, FOLDER, "hwmon", devices, MOST_DEVICES);
  if (n < 0) return tern_source_refuse(s, "no %s/" FOLDER, s->root);
  for (int i = 0; i < n; i++) list_device(s, devices[i]);
  if (s->count == 0) return tern_source_refuse(s, "no power or energy channel under %s/" FOLDER, s->root);
  if (count_channels(s) == 0) {
    if (s->argument[0]) return tern_source_refuse(s, "no channel '%s'", s->argument);
    return tern_source_refuse(s, "what %s covers is not known; --meter hwmon:%s takes it", s->channels[0].name,
                              s->channels[0].name);
  }
  if (!alive(s)) {
    if (s->fact.denied)
      snprintf(s->fact.remedy, sizeof s->fact.remedy, "sudo chmod a+r %s/" FOLDER "/hwmon*/*_input", s->root);
    return NULL;
  }
  return s;
}

static bool hwmon_read(tern_source *s, int channel, tern_level *out, char *why, size_t size) {
  tern_channel *c = &s->channels[channel];
  int64_t value;
  int bad = tern_sysfs_integer(s, &value, "%s", c->path);
  if (!bad && value < 0 && !c->power) bad = EINVAL;
  c->denied = bad == EACCES || bad == EPERM;
  if (bad) {
    snprintf(why, size, "%s: %s", c->path, strerror(bad));
    return false;
  }
  if (c->power)
    out->watts = (double)value * 1e-6;
  else
    out->count = (uint64_t)value;
  return true;
}

static void hwmon_close(tern_source *s) {
  (void)s;
}

const tern_meter_kind tern_meter_hwmon = {
    .name = "hwmon", .poll = 0.1, .open = hwmon_open, .read = hwmon_read, .close = hwmon_close};
