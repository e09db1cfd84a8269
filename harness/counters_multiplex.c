/* One perf event a file descriptor: without a group the kernel lets each take
 * its turn by itself. */
#include "harness/counters_multiplex.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int tern_turn_open(const tern_generic_event *event, bool kernel_too) {
  struct perf_event_attr a;
  memset(&a, 0, sizeof a);
  a.size = sizeof a;
  a.type = event->type;
  a.config = event->config;
  a.exclude_kernel = !kernel_too;
  a.exclude_hv = 1;
  a.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  return (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

bool tern_turn_read(int fd, tern_turn *out) {
  uint64_t raw[3];
  if (fd < 0 || read(fd, raw, sizeof raw) != (ssize_t)sizeof raw) return false;
  *out = (tern_turn){(int64_t)raw[0], (int64_t)raw[1], (int64_t)raw[2]};
  return true;
}

int64_t tern_turn_scale(const tern_turn *before, const tern_turn *after, double *share) {
  int64_t value = after->value - before->value;
  int64_t enabled = after->enabled_ns - before->enabled_ns, running = after->running_ns - before->running_ns;
  *share = 0;
  if (value < 0 || running <= 0 || enabled <= 0) return -1;
  *share = running < enabled ? (double)running / (double)enabled : 1;
  return running < enabled ? (int64_t)((double)value / *share + 0.5) : value;
}
