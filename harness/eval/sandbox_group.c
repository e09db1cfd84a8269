/* Control groups, version 2, where this process may make some below its own: a
 * kill that misses nobody, and limits of the whole tree where the controllers
 * are handed down. Everything holds without them, too; so no step is an error. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness/eval/sandbox_parts.h"

/* The file of a group, -1 when it isn't there. */
static int open_file(const tern_sandbox_group *g, const char *name, int flags) {
  char path[sizeof g->path + 64];
  snprintf(path, sizeof path, "%s/%s", g->path, name);
  return open(path, flags | O_CLOEXEC);
}

static void put(const tern_sandbox_group *g, const char *name, const char *value) {
  int fd = open_file(g, name, O_WRONLY);
  if (fd < 0) return;
  if (write(fd, value, strlen(value)) < 0) {
    /* Not handed down: the other limits stand. */
  }
  close(fd);
}

static void make(tern_sandbox_group *g) {
  if (mkdir(g->path, 0755) != 0) g->path[0] = '\0';
}

static void sweep_group(tern_sandbox_group *g) {
  put(g, "cgroup.kill", "1");
  DIR *d = opendir(g->path);
  if (!d) return;
  for (const struct dirent *f; (f = readdir(d)) != NULL;)
    if (f->d_type == DT_DIR && f->d_name[0] != '.') unlinkat(dirfd(d), f->d_name, AT_REMOVEDIR);
  closedir(d);
  rmdir(g->path);
}

/* Removes what killed processes left: groups named by pids that are no more. */
static void sweep(const char *folder) {
  DIR *d = opendir(folder);
  if (!d) return;
  for (const struct dirent *f; (f = readdir(d)) != NULL;) {
    tern_sandbox_group left;
    int pid, length = 0;
    if (sscanf(f->d_name, "ternmark-%d%n", &pid, &length) != 1 || f->d_name[length]) continue;
    if (kill(pid, 0) == 0 || errno != ESRCH) continue;
    if (snprintf(left.path, sizeof left.path, "%s/%.40s", folder, f->d_name) < (int)sizeof left.path)
      sweep_group(&left);
  }
  closedir(d);
}

void tern_sandbox_group_open(tern_sandbox_group *g) {
  static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
  char line[300], own[256] = "";
  g->path[0] = '\0';
  FILE *f = fopen("/proc/self/cgroup", "re");
  if (!f) return;
  bool there = false;
  while (!there && fgets(line, sizeof line, f)) there = sscanf(line, "0::%255[^\n]", own) == 1;
  fclose(f);
  for (size_t i = 0; there && i < sizeof mounts / sizeof *mounts; i++) {
    snprintf(g->path, sizeof g->path, "%s%s/cgroup.procs", mounts[i], own);
    if (access(g->path, W_OK) != 0) continue;
    snprintf(g->path, sizeof g->path, "%s%s", mounts[i], own);
    sweep(g->path);
    snprintf(g->path, sizeof g->path, "%s%s/ternmark-%d", mounts[i], own, (int)getpid());
    make(g);
    if (!g->path[0]) continue;
    put(g, "cgroup.subtree_control", "+memory");
    put(g, "cgroup.subtree_control", "+pids");
    return;
  }
  g->path[0] = '\0';
}

void tern_sandbox_group_child(tern_sandbox_group *child, const tern_sandbox_group *g, int number,
                              const tern_sandbox_limits *limits) {
  char value[32];
  child->path[0] = '\0';
  if (!g->path[0] || snprintf(child->path, sizeof child->path, "%.480s/%d", g->path, number) < 0) return;
  make(child);
  if (!child->path[0]) return;
  snprintf(value, sizeof value, "%zu", limits->memory);
  put(child, "memory.max", value);
  put(child, "memory.swap.max", "0");
  /* bwrap, its init and what execs before the program are in it as well. */
  snprintf(value, sizeof value, "%d", limits->processes + 4);
  put(child, "pids.max", value);
}

bool tern_sandbox_group_out_of_memory(const tern_sandbox_group *g) {
  char text[512];
  int fd = g->path[0] ? open_file(g, "memory.events", O_RDONLY) : -1;
  if (fd < 0) return false;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  text[got > 0 ? got : 0] = '\0';
  const char *kills = strstr(text, "oom_kill ");
  return kills && kills[strlen("oom_kill ")] != '0';
}

void tern_sandbox_group_end(tern_sandbox_group *g) {
  enum { TRIES = 200 };
  if (!g->path[0]) return;
  put(g, "cgroup.kill", "1");
  /* Busy until the last of the killed is gone. */
  for (int i = 0; i < TRIES && rmdir(g->path) != 0; i++) nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  g->path[0] = '\0';
}
