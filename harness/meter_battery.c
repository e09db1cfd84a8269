/* Batteries (class/power_supply): the whole device's power, true only while
 * they alone feed it. power_now (uW), else current_now (uA) x voltage_now (uV),
 * else the fall of energy_now (uWh). Values come every few seconds to half a
 * minute: for long windows. Kernel: ABI/testing/sysfs-class-power. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/meter_poll.h"
#include "harness/meter_sysfs.h"

#define FOLDER "class/power_supply"

enum { MOST_SUPPLIES = 16 };
/* energy_now falls, counters rise: what is left is taken from this. */
static const int64_t FULL_UWH = INT64_C(1) << 50;
static const double JOULES_A_UWH = 3600e-6;
/* Fuel gauges are slow, and none tells how slow: assumed until seen otherwise. */
static const double USUAL_INTERVAL_S = 30;

static int number(const tern_source *s, const char *supply, const char *file, int64_t *out) {
  return tern_sysfs_integer(s, out, FOLDER "/%s/%s", supply, file);
}

static bool is_battery(const tern_source *s, const char *supply) {
  char line[32];
  /* scope "Device": a mouse's, not this machine's. */
  if (tern_sysfs_line(s, line, sizeof line, FOLDER "/%s/scope", supply) == 0 && strcmp(line, "Device") == 0)
    return false;
  return tern_sysfs_line(s, line, sizeof line, FOLDER "/%s/type", supply) == 0 && strcmp(line, "Battery") == 0;
}

/* A battery that neither gives nor takes is no obstacle where another gives. */
static bool discharging(tern_source *s, char *why, size_t size) {
  int giving = 0;
  char status[32] = "", supply[48] = "";
  for (int i = 0; i < s->count; i++) {
    char line[32];
    int bad = tern_sysfs_line(s, line, sizeof line, FOLDER "/%s/status", s->channels[i].name);
    if (bad) {
      snprintf(why, size, "%s: status: %s", s->channels[i].name, strerror(bad));
      return false;
    }
    giving += strcmp(line, "Discharging") == 0;
    if (strcmp(line, "Charging") == 0) giving = -s->count;
    if (strcmp(line, "Discharging") == 0) continue;
    snprintf(status, sizeof status, "%s", line);
    snprintf(supply, sizeof supply, "%s", s->channels[i].name);
  }
  if (giving > 0) return true;
  snprintf(why, size, "%s is '%s', not discharging: unplug the charger", supply, status);
  return false;
}

static bool read_power(const tern_source *s, const char *supply, double *watts) {
  int64_t a, b;
  if (number(s, supply, "power_now", &a) == 0) {
    *watts = fabs((double)a) * 1e-6; /* some drivers give a discharge a minus */
    return true;
  }
  if (number(s, supply, "current_now", &a) != 0 || number(s, supply, "voltage_now", &b) != 0) return false;
  *watts = fabs((double)a) * 1e-6 * (double)b * 1e-6;
  return true;
}

static bool battery_read(tern_source *s, int channel, tern_level *out, char *why, size_t size) {
  const tern_channel *c = &s->channels[channel];
  int64_t left;
  if (!discharging(s, why, size)) return false;
  if (c->power) {
    if (read_power(s, c->name, &out->watts)) return true;
    snprintf(why, size, "%s: power_now, or current_now and voltage_now, can't be read any more", c->name);
    return false;
  }
  int bad = number(s, c->name, "energy_now", &left);
  if (!bad && (left < 0 || left > FULL_UWH)) bad = EINVAL;
  if (bad)
    snprintf(why, size, "%s: energy_now: %s", c->name, strerror(bad));
  else
    out->count = (uint64_t)(FULL_UWH - left);
  return !bad;
}

static void *battery_open(tern_source *s) {
  tern_sysfs_name supplies[MOST_SUPPLIES];
  int n = tern_sysfs_list(s, FOLDER, "", supplies, MOST_SUPPLIES);
  char why[160];
  double watts = 0;
  for (int i = 0; i < n; i++) {
    char path[224];
    int64_t left;
    double now;
    if (!is_battery(s, supplies[i]) || strlen(supplies[i]) >= sizeof s->channels[0].name) continue;
    snprintf(path, sizeof path, FOLDER "/%.63s", supplies[i]);
    bool power = read_power(s, supplies[i], &now);
    if (!power && number(s, supplies[i], "energy_now", &left) != 0) continue;
    tern_channel *c = tern_source_add(s, TERN_DOMAIN_OTHER, supplies[i], path);
    if (!c) break;
    c->power = power;
    c->unit = JOULES_A_UWH;
    c->counted = true;
    c->interval = USUAL_INTERVAL_S;
    watts += power ? now : NAN;
    snprintf(s->fact.unit, sizeof s->fact.unit, power ? "uW" : "uWh");
  }
  if (s->count == 0)
    return tern_source_refuse(s, "no battery with a power, current or energy under %s/" FOLDER, s->root);
  if (!discharging(s, why, sizeof why)) return tern_source_refuse(s, "%s", why);
  if (watts <= 0) return tern_source_refuse(s, "reads 0 W: no measurement");
  snprintf(s->fact.scope, sizeof s->fact.scope, "battery");
  return s;
}

static void battery_close(tern_source *s) {
  (void)s;
}

const tern_meter_kind tern_meter_battery = {
    .name = "battery", .poll = 1, .open = battery_open, .read = battery_read, .close = battery_close};
