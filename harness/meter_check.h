/* ternmark machine --energy-check: do the meters see what the machine does? */
#ifndef TERN_HARNESS_METER_CHECK_H
#define TERN_HARNESS_METER_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/energy.h"

/* Idle, one core, all cores, two seconds each, with every meter side by side. */
int tern_energy_check(FILE *out, const char *sysfs_root, bool json, tern_error *e);

/* The same with other meters and times. */
typedef struct tern_energy_check_options {
  tern_meter_options meters;
  int cores;      /* "all" */
  double seconds; /* of each of the three */
  bool json;
} tern_energy_check_options;
int tern_energy_check_with(FILE *out, const tern_energy_check_options *o, tern_error *e);

#endif
