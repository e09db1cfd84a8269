/* Times of day as loggers write them. */
#ifndef TERN_HARNESS_METER_TIME_H
#define TERN_HARNESS_METER_TIME_H

#include <stdbool.h>

typedef enum tern_time_kind {
  TERN_TIME_ABSOLUTE, /* ISO 8601 with a zone, or seconds (ms, us, ns) since 1970 */
  TERN_TIME_LOCAL,    /* ISO 8601 without a zone: taken as this machine's zone */
  TERN_TIME_RELATIVE  /* a small number: since the logger began */
} tern_time_kind;

/* Seconds since 1970 UTC, or since the logger began. False: no time. */
bool tern_time_parse(const char *text, double *seconds, tern_time_kind *kind);

/* "+02:00" of seconds. */
void tern_time_zone(double seconds, char *out, int size);

#endif
