/* The published tables (reports/published, CSV) carried inside the program, so
 * that shapes and claims are at hand wherever the binary runs. */
#ifndef TERN_REPORTS_PUBLISHED_H
#define TERN_REPORTS_PUBLISHED_H

#include <stddef.h>

/* Bytes of one table by file name ("shapes.csv"), followed by a NUL that `size`
 * does not count; static storage. NULL: no such table. */
const char *tern_published_file(const char *name, size_t *size);

/* File names of all tables, NULL-terminated. */
const char *const *tern_published_names(void);

#endif
