/* Small files of the kernel, below a root that the user may move. */
#ifndef TERN_HARNESS_METER_SYSFS_H
#define TERN_HARNESS_METER_SYSFS_H

#include "harness/meter.h"

typedef char tern_sysfs_name[64];

/* First line of <root>/<path> without its newline; 0 or errno. */
int tern_sysfs_line(const tern_source *s, char *line, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A whole number; EINVAL when the line is none. */
int tern_sysfs_integer(const tern_source *s, int64_t *out, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Entries of a folder that begin with prefix, sorted by number where they end
 * in one; how many, -1: no folder. */
int tern_sysfs_list(const tern_source *s, const char *folder, const char *prefix, tern_sysfs_name *names, int most);

#endif
