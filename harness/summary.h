/* summary.csv: medians, intervals and ratios, computed from samples.csv. */
#ifndef TERN_HARNESS_SUMMARY_H
#define TERN_HARNESS_SUMMARY_H

#include "engine/base/error.h"

/* Reads DIR/manifest.json and DIR/samples.csv, writes DIR/summary.csv. */
int tern_summary_write(const char *dir, tern_error *e);

#endif
