/* A power log of any logger: rows of time and watts, read as it grows. */
#ifndef TERN_HARNESS_METER_CSV_FILE_H
#define TERN_HARNESS_METER_CSV_FILE_H

#include <stdint.h>

#include "harness/meter_series.h"
#include "harness/meter_time.h"

typedef struct tern_csv {
  char path[512];
  tern_series series;  /* in order of time, whatever the file's order */
  tern_time_kind kind; /* of its times */
  size_t rows, bad;    /* rows used; rows without a time or watts */
  bool reversed;       /* newest row first: put in order */
  /* Rows that go back in time among others that go on: within [from, to] the
   * times mean two things. row: the first such, 0: none. */
  size_t disorder_row;
  double disorder_from, disorder_to;

  /* How far it was read, and how its rows look. */
  int64_t offset;
  uint64_t inode;
  size_t line, rises, falls;
  bool known;
  char separator;
  int date_column, time_column, watts_column; /* date: -1 when it is in the time */
  double scale;
  double newest; /* time of the last row */
} tern_csv;

/* Reads what was added since the last call, whole lines only; a file that was
 * replaced or cut is read anew. False with the reason. */
bool tern_csv_load(tern_csv *c, char *why, size_t size);
void tern_csv_free(tern_csv *c);

#endif
