/* Inside of the meters: what a kind of source is (one file, one row of the
 * table in energy.c), and what tests may put in place of the kernel. */
#ifndef TERN_HARNESS_METER_H
#define TERN_HARNESS_METER_H

#include <stdint.h>

#include "harness/energy.h"

enum { TERN_MOST_CHANNELS = 64 };

/* What a channel measures. */
typedef enum tern_domain {
  TERN_DOMAIN_OTHER,
  TERN_DOMAIN_PACKAGE,
  TERN_DOMAIN_CORE,
  TERN_DOMAIN_UNCORE,
  TERN_DOMAIN_DRAM,
  TERN_DOMAIN_PSYS,
  TERN_DOMAIN_MACHINE,
  TERN_DOMAIN_RAIL
} tern_domain;

/* Files and events; tests give their own. */
typedef struct tern_meter_io {
  /* The file's first bytes, NUL-terminated; 0 or errno. */
  int (*read_file)(void *arg, const char *path, char *text, size_t size);
  /* A system-wide perf event on one CPU; a descriptor or -errno. */
  int (*perf_open)(void *arg, uint32_t type, uint64_t config, int cpu);
  void *arg;
} tern_meter_io;
extern const tern_meter_io tern_meter_io_kernel;

/* A counter of energy (count) or a power at an instant (watts). */
typedef union tern_level {
  uint64_t count;
  double watts;
} tern_level;

typedef struct tern_channel {
  char name[48];
  char path[224]; /* for the reader; below the sysfs root */
  tern_domain domain;
  bool power;     /* else a counter */
  bool counted;   /* part of the meter's total */
  double unit;    /* J a count */
  uint64_t range; /* counts at which a counter begins again; 0: at 2^64 */

  /* Found by watching. */
  double interval, step; /* s, J or W; NAN: not known */
  bool moves;
  bool denied;
  char why[320]; /* can't be read */

  /* State of the window, of meter_poll.c. */
  tern_level last;
  double joules, changed; /* changed: when it moved last */
  int wraps;
  char broken[160];
} tern_channel;

typedef struct tern_instant {
  double now, wall;
} tern_instant;

struct tern_meter_kind;

/* One meter: what a kind fills in while it opens, and the core keeps. */
typedef struct tern_source {
  const struct tern_meter_kind *kind;
  void *state; /* NULL: not usable */
  const tern_meter_options *options;
  const tern_clock *clock;
  const char *root;     /* of sysfs */
  const char *argument; /* what the user gave after "kind:"; "" when nothing */
  tern_meter_fact fact;
  tern_channel channels[TERN_MOST_CHANNELS];
  int count;
  int samples;
  tern_instant started;
  double last; /* look */
  char broken[120];
} tern_source;

typedef struct tern_meter_kind {
  const char *name;
  bool asked;  /* opened only when named: needs an argument */
  double poll; /* s between looks that it needs; 0: it keeps time itself */
  /* Finds the source, lists its channels, marks those that count, and proves
   * that they move. The state; NULL with fact.why (and remedy, denied). */
  void *(*open)(tern_source *s);
  /* Polled kinds. False with the reason. */
  bool (*read)(tern_source *s, int channel, tern_level *out, char *why, size_t size);
  /* Kinds that keep time themselves. The reading comes in unavailable. */
  void (*begin)(tern_source *s);
  void (*finish)(tern_source *s, tern_instant end, tern_reading *out);
  /* Whether it has given its last value; NULL: it never ends by itself. */
  bool (*ended)(const tern_source *s);
  void (*close)(tern_source *s);
} tern_meter_kind;

extern const tern_meter_kind tern_meter_powercap, tern_meter_perf, tern_meter_hwmon, tern_meter_ina3221,
    tern_meter_battery, tern_meter_csv, tern_meter_command, tern_meter_serial, tern_meter_constant;

/* A fresh channel, NULL when there are too many. */
tern_channel *tern_source_add(tern_source *s, tern_domain domain, const char *name, const char *path);
/* Sets fact.why; returns NULL, so that open can return it. */
void *tern_source_refuse(tern_source *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a file that can't be read: a denied one gets its remedy. */
void *tern_source_refuse_file(tern_source *s, int error, const char *path);
/* fact.source from the counted channels. */
void tern_source_describe(tern_source *s);

#endif
