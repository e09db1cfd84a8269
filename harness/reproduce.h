/* Reports of a result folder. */
#ifndef TERN_HARNESS_REPRODUCE_H
#define TERN_HARNESS_REPRODUCE_H

#include <stdbool.h>

#include "engine/base/error.h"

/* Summary, report and claims of a folder; prints the headline, or with json /
 * csv the machine-readable form alone. */
int tern_report_folder(const char *dir, bool json, bool csv, tern_error *e);

#endif
