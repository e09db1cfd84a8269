/* Energy: one interface over every source. A reading says what it covers and
 * how it came about; zero is never a measurement. */
#ifndef TERN_HARNESS_ENERGY_H
#define TERN_HARNESS_ENERGY_H

#include <stddef.h>

typedef enum tern_how { TERN_MEASURED, TERN_MODELLED, TERN_UNAVAILABLE } tern_how;

typedef struct tern_reading {
  double value;     /* NAN when unavailable */
  const char *unit; /* "J" */
  char scope[32];   /* "package", "package+dram", "psys", ... */
  tern_how how;
  char why[160]; /* when unavailable */
} tern_reading;

/* A kind of source: one row of the table in energy.c, one file. */
typedef struct tern_meter_kind {
  const char *name;
  /* Finds the source and proves that it moves. The state, or NULL with the
   * reason in why; source gets a line on what is read. */
  void *(*open)(const char *sysfs_root, char *source, size_t source_size, char *why, size_t why_size);
  void (*start)(void *state);
  void (*stop)(void *state, tern_reading *out);
  void (*close)(void *state);
} tern_meter_kind;

extern const tern_meter_kind tern_meter_powercap;

typedef struct tern_meter tern_meter;

/* The first kind that works; never NULL unless out of memory: a meter without
 * a source gives readings that say why. sysfs_root: "/sys" when NULL. */
tern_meter *tern_meter_open(const char *sysfs_root);
void tern_meter_close(tern_meter *m); /* NULL allowed */
/* Name of the kind, NULL without a source. */
const char *tern_meter_name(const tern_meter *m);
/* What is read ("package-0, package-0 dram"), or why nothing is. */
const char *tern_meter_source(const tern_meter *m);
void tern_meter_start(tern_meter *m);
void tern_meter_stop(tern_meter *m, tern_reading *out);

const char *tern_how_name(tern_how how); /* "measured", "modelled", "unavailable" */

#endif
