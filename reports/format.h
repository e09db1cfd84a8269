/* Numbers as people read them: three significant digits, no exponents. */
#ifndef TERN_REPORTS_FORMAT_H
#define TERN_REPORTS_FORMAT_H

#include <stddef.h>

#include "reports/verdict.h"

typedef struct tern_text {
  char text[256];
} tern_text;

/* "0.0276", "3.71", "36.4", "412"; "" for NAN. */
tern_text tern_format_number(double v);
/* "521 MB", "4.83 GB" (powers of ten); "" for NAN. */
tern_text tern_format_bytes(double v);
/* "3.71 [3.52, 3.90]"; the median alone without an interval. */
tern_text tern_format_interval(double median, double low, double high);
/* The same of a figure, with its unit; "" when absent. */
tern_text tern_format_figure(const tern_figure *f, const char *unit);
/* What is printed: "1.37-5.07 x" with `dash` between, "up to 6.25 x", "0.4 GB". */
tern_text tern_format_printed(const char *low, const char *high, const char *unit, const char *dash);

/* A command without the folders of the one who typed it: a path that begins a
 * word, or stands after '=', ':' or a quote, keeps its last part. */
void tern_report_without_folders(const char *command, char *text, size_t size);

#endif
