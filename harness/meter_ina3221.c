/* INA3221, the three-rail monitor of Jetson boards, through hwmon: bus voltage
 * inN_input (mV) times currN_input (mA), N = 1..3. A rail that is the board's
 * input contains the others; without one the rails are added, but for those
 * that another one feeds. Kernel: Documentation/hwmon/ina3221.rst; rails:
 * NVIDIA Jetson Linux Developer Guide. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/meter_poll.h"
#include "harness/meter_sysfs.h"

#define FOLDER "class/hwmon"

enum { MOST_DEVICES = 64, RAILS = 3 };

static const char *const inputs[] = {"VDD_IN", "POM_5V_IN"};
static const char *const fed_by_others[] = {"VDDQ_VDD2_1V8AO", "NC"}; /* NC: not connected */

static bool among(const char *const *list, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i], name) == 0) return true;
  return false;
}

static void list_device(tern_source *s, const char *device) {
  char name[32];
  if (tern_sysfs_line(s, name, sizeof name, FOLDER "/%s/name", device) != 0 || strcmp(name, "ina3221") != 0) return;
  for (int rail = 1; rail <= RAILS; rail++) {
    char label[48], path[224];
    int64_t on, ms;
    if (tern_sysfs_integer(s, &on, FOLDER "/%s/in%d_enable", device, rail) == 0 && on == 0) continue;
    if (tern_sysfs_line(s, label, sizeof label, FOLDER "/%s/in%d_label", device, rail) != 0)
      snprintf(label, sizeof label, "%.32s rail %d", device, rail);
    /* The two files differ in their prefix; the path keeps where they lie. */
    snprintf(path, sizeof path, FOLDER "/%.63s/in%d_input", device, rail);
    tern_channel *c = tern_source_add(s, TERN_DOMAIN_RAIL, label, path);
    if (!c) return;
    c->power = true;
    if (tern_sysfs_integer(s, &ms, FOLDER "/%s/update_interval", device) == 0 && ms > 0)
      c->interval = (double)ms * 1e-3;
  }
}

/* Marks the input, or the rails that add up; how many. */
static int count_rails(tern_source *s) {
  int n = 0;
  for (int i = 0; i < s->count && n == 0; i++) {
    tern_channel *c = &s->channels[i];
    bool wanted =
        s->argument[0] ? strcmp(c->name, s->argument) == 0 : among(inputs, sizeof inputs / sizeof *inputs, c->name);
    if (wanted) c->counted = ++n > 0;
    if (wanted) snprintf(s->fact.scope, sizeof s->fact.scope, "%.31s", s->argument[0] ? c->name : "board input");
  }
  if (n || s->argument[0]) return n;
  for (int i = 0; i < s->count; i++) {
    tern_channel *c = &s->channels[i];
    if (!among(fed_by_others, sizeof fed_by_others / sizeof *fed_by_others, c->name)) c->counted = ++n > 0;
  }
  snprintf(s->fact.scope, sizeof s->fact.scope, "rails");
  return n;
}

static bool ina_read(tern_source *s, int channel, tern_level *out, char *why, size_t size) {
  tern_channel *c = &s->channels[channel];
  char folder[224];
  int64_t mv, ma;
  int rail = 0;
  snprintf(folder, sizeof folder, "%s", c->path);
  char *slash = strrchr(folder, '/');
  sscanf(slash, "/in%d_input", &rail);
  *slash = '\0';
  int bad = tern_sysfs_integer(s, &mv, "%s/in%d_input", folder, rail);
  const char *what = "in";
  if (!bad) {
    bad = tern_sysfs_integer(s, &ma, "%s/curr%d_input", folder, rail);
    what = "curr";
  }
  c->denied = bad == EACCES || bad == EPERM;
  if (bad) {
    snprintf(why, size, "%s/%s%d_input: %s", folder, what, rail, strerror(bad));
    return false;
  }
  out->watts = (double)mv * (double)ma * 1e-6;
  return true;
}

static void *ina_open(tern_source *s) {
  tern_sysfs_name devices[MOST_DEVICES];
  int n = tern_sysfs_list(s, FOLDER, "hwmon", devices, MOST_DEVICES);
  if (n < 0) return tern_source_refuse(s, "no %s/" FOLDER, s->root);
  for (int i = 0; i < n; i++) list_device(s, devices[i]);
  if (s->count == 0) return tern_source_refuse(s, "no INA3221 under %s/" FOLDER, s->root);
  if (count_rails(s) == 0) return tern_source_refuse(s, "no rail '%s'", s->argument);
  snprintf(s->fact.unit, sizeof s->fact.unit, "mV x mA");
  double watts = 0;
  for (int i = 0; i < s->count; i++) {
    tern_level level;
    char why[160];
    if (!s->channels[i].counted) continue;
    if (!ina_read(s, i, &level, why, sizeof why)) {
      s->fact.denied = s->channels[i].denied;
      if (s->fact.denied)
        snprintf(s->fact.remedy, sizeof s->fact.remedy, "sudo chmod a+r %s/" FOLDER "/hwmon*/*_input", s->root);
      return tern_source_refuse(s, "%s", why);
    }
    watts += level.watts;
  }
  if (!(watts > 0)) return tern_source_refuse(s, "reads %.3g W: no measurement", watts);
  return s;
}

static void ina_close(tern_source *s) {
  (void)s;
}

const tern_meter_kind tern_meter_ina3221 = {
    .name = "ina3221", .poll = 0.1, .open = ina_open, .read = ina_read, .close = ina_close};
