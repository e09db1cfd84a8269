/* Memory this process can still take: the machine's MemAvailable, cut by the
 * limits of its cgroup and of that group's ancestors (v2 and v1). Cache that a
 * group would give back (inactive_file) does not count as use. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/memory.h"

/* Value after `key` at the start of a line of the file; empty key: the file's first word. */
static bool read_number(const char *path, const char *key, size_t *out) {
  FILE *f = fopen(path, "re");
  if (!f) return false;
  char line[256];
  size_t length = strlen(key);
  bool found = false;
  while (!found && fgets(line, sizeof line, f)) {
    unsigned long long v;
    if (strncmp(line, key, length) == 0 && sscanf(line + length, "%llu", &v) == 1) {
      *out = (size_t)v;
      found = true;
    }
  }
  fclose(f);
  return found;
}

typedef struct group_files {
  const char *root, *limit, *use, *reclaimable;
} group_files;
static const group_files v2 = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "};
static const group_files v1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_inactive_file "};

static void cut_by_group(const group_files *files, const char *group, size_t *available) {
  char path[PATH_MAX];
  size_t limit, use, cache = 0;
  snprintf(path, sizeof path, "%s%s/%s", files->root, group, files->limit);
  if (!read_number(path, "", &limit)) return; /* absent, or "max" */
  snprintf(path, sizeof path, "%s%s/%s", files->root, group, files->use);
  if (!read_number(path, "", &use)) return;
  snprintf(path, sizeof path, "%s%s/memory.stat", files->root, group);
  read_number(path, files->reclaimable, &cache);
  use -= cache < use ? cache : use;
  size_t left = limit > use ? limit - use : 0;
  if (left < *available) *available = left;
}

size_t tern_memory_available(void) {
  size_t available = SIZE_MAX, kib;
  if (read_number("/proc/meminfo", "MemAvailable:", &kib)) available = tern_mul(kib, 1024);
  FILE *f = fopen("/proc/self/cgroup", "re");
  char line[PATH_MAX];
  while (f && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) continue;
    *group++ = 0;
    const group_files *files = controllers[1] == 0 ? &v2 : strcmp(controllers + 1, "memory") == 0 ? &v1 : NULL;
    if (!files) continue;
    for (char *end = group + strlen(group); end; end = strrchr(group, '/')) {
      *end = 0;
      cut_by_group(files, group, &available);
      if (end == group) break;
    }
  }
  if (f) fclose(f);
  return available;
}
