/* What the kernel tells of frequency, heat, pages and stolen time, read from
 * /proc and /sys under a root. What it does not tell is empty, NAN or -1. */
#ifndef TERN_HARNESS_SYSTEM_H
#define TERN_HARNESS_SYSTEM_H

#include <stdint.h>

#include <jansson.h>

enum { TERN_MOST_ZONES = 32, TERN_MOST_HUGE = 8 };

typedef struct tern_system {
  char microarchitecture[192]; /* all that the CPUs have: "Cortex-A76, Cortex-A55" */
  char frequency_driver[32], governor[32];
  char boost[8];                /* "on", "off" */
  double mhz, mhz_low, mhz_top; /* of the first CPU: now, and its bounds */
  struct {
    char type[32];
    double celsius;
  } zones[TERN_MOST_ZONES];
  int zone_count;
  int64_t throttled; /* times that a core or package was, since boot */
  size_t page_size;
  char thp[16], thp_defrag[16]; /* transparent huge pages: "always", "madvise", "never" */
  struct {
    int64_t kib, total, free; /* page size, pages */
  } huge[TERN_MOST_HUGE];     /* hugetlb pools */
  int huge_count;
  double steal; /* share of all CPU time since boot, percent */
} tern_system;

/* root: "" for this machine, or a folder that holds proc and sys. */
void tern_system_probe(tern_system *s, const char *root);
json_t *tern_system_json(const tern_system *s);

/* First line of root + path without its newline; empty when it can't be read. */
void tern_first_line(const char *root, const char *path, char *out, size_t size);

#endif
