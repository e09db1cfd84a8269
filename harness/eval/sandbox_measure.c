/* What a tree uses, read from /proc: orphans inside are children of its init,
 * so going down from bwrap finds all. A process that is born meanwhile is found
 * the next time. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/eval/sandbox_parts.h"

enum { MOST = 4096 }; /* processes looked at */

static bool read_file(pid_t pid, const char *name, char *text, size_t size) {
  char path[128];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, text, size - 1);
  close(fd);
  text[got > 0 ? got : 0] = '\0';
  return got > 0;
}

/* Its own processor time and that of its children that have ended. */
static double cpu_of(pid_t pid) {
  char text[1024];
  unsigned long ticks[4];
  if (!read_file(pid, "stat", text, sizeof text)) return 0;
  const char *at = strrchr(text, ')'); /* a name may hold anything */
  if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &ticks[0], &ticks[1],
                    &ticks[2], &ticks[3]) != 4)
    return 0;
  return (double)(ticks[0] + ticks[1] + ticks[2] + ticks[3]) / (double)sysconf(_SC_CLK_TCK);
}

static size_t memory_of(pid_t pid) {
  char text[128];
  unsigned long resident, shared;
  if (!read_file(pid, "statm", text, sizeof text) || sscanf(text, "%*u %lu %lu", &resident, &shared) != 2) return 0;
  return (resident > shared ? resident - shared : 0) * (size_t)sysconf(_SC_PAGESIZE);
}

static int children_of_thread(pid_t pid, const char *thread, pid_t *list, int room) {
  char name[64], text[16384];
  int count = 0;
  snprintf(name, sizeof name, "task/%.20s/children", thread);
  if (!read_file(pid, name, text, sizeof text)) return 0;
  for (char *at = text, *end; count < room; at = end) {
    long child = strtol(at, &end, 10);
    if (end == at) break;
    list[count++] = (pid_t)child;
  }
  return count;
}

static int children_of(pid_t pid, pid_t *list, int room) {
  char path[64];
  int count = 0;
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR *threads = opendir(path);
  if (!threads) return 0;
  for (const struct dirent *d; (d = readdir(threads)) != NULL;)
    if (d->d_name[0] != '.') count += children_of_thread(pid, d->d_name, list + count, room - count);
  closedir(threads);
  return count;
}

void tern_sandbox_measure(pid_t root, tern_sandbox_use *use) {
  memset(use, 0, sizeof *use);
  pid_t *list = malloc(MOST * sizeof *list);
  if (!list) return;
  int count = 1;
  list[0] = root;
  for (int i = 0; i < count; i++) {
    count += children_of(list[i], list + count, MOST - count);
    use->cpu_s += cpu_of(list[i]);
    use->memory += memory_of(list[i]);
  }
  use->processes = count;
  free(list);
}
