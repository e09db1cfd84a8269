/* What a marker load needs of a CSV meter. */
#ifndef TERN_HARNESS_METER_CSV_H
#define TERN_HARNESS_METER_CSV_H

#include "harness/meter.h"
#include "harness/meter_csv_file.h"

/* The rows as they are now, in the file's own times; NULL with the reason. */
const tern_series *tern_meter_csv_series(tern_source *s, char *why, size_t size);
/* Seconds to add to the file's times to get this machine's clock. */
void tern_meter_csv_shift(tern_source *s, double offset);

#endif
