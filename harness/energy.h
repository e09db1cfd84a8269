/* Energy: one interface over every source. All sources that work are open side
 * by side; one is the primary, whose readings go into the results. A reading
 * says what it covers and how it came about; zero is never a measurement. */
#ifndef TERN_HARNESS_ENERGY_H
#define TERN_HARNESS_ENERGY_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef enum tern_how { TERN_MEASURED, TERN_MODELLED, TERN_UNAVAILABLE } tern_how;

typedef struct tern_reading {
  double value;     /* joules, idle included; NAN when unavailable */
  const char *unit; /* "J" */
  char scope[32];   /* "package", "package+dram", "psys", "wall", ... */
  tern_how how;
  char why[320]; /* when unavailable */

  double seconds; /* the window */
  double watts;   /* value / seconds */
  double net;     /* joules above idle (tern_reading_net); NAN: not known */
  double idle_watts;
  char net_note[96]; /* why there is no net, or what to know about it */
  double interval;   /* s between the source's updates; NAN: not known */
  int samples;       /* looks at the source within the window, both ends included */
  int wraps;         /* times that a counter began again */
} tern_reading;

/* Time, replaceable by tests. `wait` sleeps. */
typedef struct tern_clock {
  double (*now)(void *arg);  /* s, never set by hand (CLOCK_MONOTONIC) */
  double (*wall)(void *arg); /* s since 1970 UTC (CLOCK_REALTIME) */
  void (*wait)(void *arg, double seconds);
  void *arg;
} tern_clock;
extern const tern_clock tern_clock_real;

struct tern_meter_io;

typedef struct tern_meter_options {
  const char *sysfs_root; /* NULL: "/sys" */
  /* Meters named by the user, the first is the primary: "powercap", "perf",
   * "hwmon", "ina3221", "battery", each also with ":DOMAIN"; "csv:FILE",
   * "command:COMMAND", "serial:DEVICE[@BAUD]", "constant:WATTS". The sources
   * under sysfs_root are opened whether named or not. */
  const char *const *named;
  int named_count;
  double interval;                /* s between looks, at most 10; 0: as the sources need */
  double csv_offset;              /* s to add to a CSV file's times; NAN: none is known */
  double most_watts;              /* implausible above it, a socket; 0: 2000 */
  const tern_clock *clock;        /* NULL: the real one */
  const struct tern_meter_io *io; /* NULL: the kernel's files (harness/meter.h) */
  bool by_hand;                   /* no sampling thread: tern_meters_sample does it */
} tern_meter_options;

#define TERN_METER_DEFAULTS ((tern_meter_options){.csv_offset = __builtin_nan("")})

/* What is known of one meter. */
typedef struct tern_meter_fact {
  const char *kind;
  bool usable, primary;
  char source[512];  /* what is read, with paths */
  char scope[32];    /* of its total */
  char unit[24];     /* as the source counts: "uJ", "2^-32 J", "uW", ... */
  double resolution; /* smallest step seen, J or W; NAN: none seen */
  double interval;   /* s between updates, watched or told by the driver; NAN: not known */
  bool denied;       /* not usable for want of permission alone */
  char why[320];     /* not usable */
  char remedy[160];  /* command that would make it usable; may be empty */
  tern_how how;      /* of its readings */
} tern_meter_fact;

/* A part of a meter: "package-0", "package-0/dram", "VDD_IN", ... */
typedef struct tern_meter_part {
  char name[48];
  char path[224];
  bool counted;  /* in the meter's total: parts may contain each other */
  double joules; /* of the last window; NAN: unavailable */
} tern_meter_part;

typedef struct tern_meters tern_meters;

/* Fails only for a meter that can't be understood (TERN_USAGE) or for want of
 * memory: a source that does not work is a fact with its reason. */
int tern_meters_open(tern_meters **out, const tern_meter_options *options, tern_error *e);
void tern_meters_close(tern_meters *m); /* NULL allowed */
int tern_meters_count(const tern_meters *m);
const tern_meter_fact *tern_meters_fact(const tern_meters *m, int meter);
/* The number of parts; part may be NULL. */
int tern_meters_parts(const tern_meters *m, int meter, int index, tern_meter_part *part);
/* The meter whose readings count; -1: none is usable and none was named. */
int tern_meters_primary(const tern_meters *m);
/* Why no meter is usable: every kind's reason, one after the other. */
void tern_meters_reasons(const tern_meters *m, char *text, size_t size);

/* A window: readings[tern_meters_count]. While it lasts a thread looks at the
 * sources, so that no counter wraps unseen. One window at a time. */
void tern_meters_start(tern_meters *m);
void tern_meters_sample(tern_meters *m); /* one look now */
void tern_meters_stop(tern_meters *m, tern_reading *readings);
/* Whether the primary was seen to fail since the window began: it will give no
 * reading, however long the window lasts. */
bool tern_meters_broken(tern_meters *m);
/* Seconds that looking took in the last window. */
double tern_meters_cost(const tern_meters *m);
/* Watches for so long how often and in what steps the sources move, and fills
 * interval and resolution of their facts. */
void tern_meters_watch(tern_meters *m, double seconds);
/* Finds the clock offset of every CSV meter by a marker load on `cores` cores,
 * in chips of so many seconds; offset and confidence: harness/meter_marker.h. */
int tern_meters_align(tern_meters *m, int cores, double chip, tern_error *e);

/* The primary alone. */
typedef struct tern_meter tern_meter;
/* Never NULL unless out of memory: a meter without a source gives readings
 * that say why. sysfs_root: "/sys" when NULL. */
tern_meter *tern_meter_open(const char *sysfs_root);
void tern_meter_close(tern_meter *m); /* NULL allowed */
/* Name of the kind, NULL without a source. */
const char *tern_meter_name(const tern_meter *m);
/* What is read ("package-0, package-0/dram"), or why nothing is. */
const char *tern_meter_source(const tern_meter *m);
void tern_meter_start(tern_meter *m);
void tern_meter_stop(tern_meter *m, tern_reading *out);

const char *tern_how_name(tern_how how); /* "measured", "modelled", "unavailable" */

#endif
