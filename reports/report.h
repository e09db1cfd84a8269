/* The report of a result folder. Reads only the folder's manifest.json,
 * summary.csv, samples.csv and, where there is one, profile.csv, and the
 * published tables inside the program. */
#ifndef TERN_REPORTS_REPORT_H
#define TERN_REPORTS_REPORT_H

#include <stdio.h>

#include "engine/base/error.h"

/* Writes DIR/claims.csv, DIR/report.md and DIR/report.html, each whole or not
 * at all. The same folder gives the same bytes. */
int tern_report_write(const char *dir, tern_error *e);

/* The short text for a terminal: key figures, one line a claim, the report's
 * path. ASCII. */
int tern_report_headline(const char *dir, FILE *out, tern_error *e);

/* Summary, claims and the names of the folder's files as one JSON object. */
int tern_report_json(const char *dir, FILE *out, tern_error *e);

#endif
