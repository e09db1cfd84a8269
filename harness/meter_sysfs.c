/* Files of the kernel through tern_meter_io: a driver's numbers are one line of
 * text each, opened anew at every look, so that a domain which vanishes is
 * seen at once. */
#include "harness/meter_sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int read_file(void *arg, const char *path, char *text, size_t size) {
  (void)arg;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  ssize_t got = read(fd, text, size - 1);
  int bad = got < 0 ? errno : 0;
  close(fd);
  text[got > 0 ? got : 0] = '\0';
  return bad;
}

static int perf_open(void *arg, uint32_t type, uint64_t config, int cpu) {
  (void)arg;
  struct perf_event_attr attr = {.type = type, .size = sizeof attr, .config = config};
  long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return fd < 0 ? -errno : (int)fd;
}

const tern_meter_io tern_meter_io_kernel = {read_file, perf_open, NULL};

static int line_of(const tern_source *s, char *line, size_t size, const char *format, va_list args) {
  const tern_meter_io *io = s->options->io ? s->options->io : &tern_meter_io_kernel;
  char path[1024];
  int used = snprintf(path, sizeof path, "%s/", s->root);
  if (used < 0 || (size_t)used >= sizeof path) return ENAMETOOLONG;
  int more = vsnprintf(path + used, sizeof path - (size_t)used, format, args);
  if (more < 0 || (size_t)more >= sizeof path - (size_t)used) return ENAMETOOLONG;
  int bad = io->read_file(io->arg, path, line, size);
  if (bad) return bad;
  line[strcspn(line, "\n")] = '\0';
  return 0;
}

int tern_sysfs_line(const tern_source *s, char *line, size_t size, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int bad = line_of(s, line, size, format, args);
  va_end(args);
  return bad;
}

int tern_sysfs_integer(const tern_source *s, int64_t *out, const char *format, ...) {
  char line[64], *end;
  va_list args;
  va_start(args, format);
  int bad = line_of(s, line, sizeof line, format, args);
  va_end(args);
  if (bad) return bad;
  errno = 0;
  *out = strtoll(line, &end, 10);
  return errno ? errno : end == line || *end ? EINVAL : 0;
}

/* "hwmon2" before "hwmon10". */
static int by_number(const void *a, const void *b) {
  return strverscmp(a, b);
}

int tern_sysfs_list(const tern_source *s, const char *folder, const char *prefix, tern_sysfs_name *names, int most) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", s->root, folder);
  DIR *d = opendir(path);
  if (!d) return -1;
  int count = 0;
  for (struct dirent *entry; count < most && (entry = readdir(d));) {
    if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0) continue;
    if (strlen(entry->d_name) >= sizeof names[0]) continue;
    snprintf(names[count++], sizeof names[0], "%.63s", entry->d_name);
  }
  closedir(d);
  qsort(names, (size_t)count, sizeof names[0], by_number);
  return count;
}
