/* Inherited counters of another process through perf_event_open(2): PAPI 7.0
 * refuses inheritance where its test event is missing (counters.c). An event
 * that shared its counter with others is not scaled up but left out, and where
 * the kernel's side is not permitted, events that happen there are as well. */
#include "harness/peer_counters.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  uint32_t type;
  uint64_t config;
  int wanted;
} events[TERN_COUNTERS] = {
    [TERN_CYCLES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 1},
    [TERN_INSTRUCTIONS] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 1},
    [TERN_CACHE_MISSES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, 1},
    [TERN_BRANCH_MISSES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, 1},
    [TERN_MIGRATIONS] = {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS, 1},
};

static int attach(int which, pid_t pid) {
  struct perf_event_attr a = {.size = sizeof a, .type = events[which].type, .config = events[which].config};
  a.inherit = 1;
  a.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  a.exclude_hv = 1;
  long fd = syscall(SYS_perf_event_open, &a, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0 && a.type == PERF_TYPE_HARDWARE) {
    a.exclude_kernel = 1;
    fd = syscall(SYS_perf_event_open, &a, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
  }
  return (int)fd;
}

void tern_peer_counters_attach(tern_peer_counters *c, pid_t pid) {
  for (int i = 0; i < TERN_COUNTERS; i++) c->fds[i] = events[i].wanted ? attach(i, pid) : -1;
}

void tern_peer_counters_take(tern_peer_counters *c, int64_t *values) {
  for (int i = 0; i < TERN_COUNTERS; i++) {
    struct {
      uint64_t count, enabled, running;
    } r;
    values[i] = -1;
    if (c->fds[i] < 0) continue;
    /* Zero is a count of software events alone. */
    bool whole = read(c->fds[i], &r, sizeof r) == (ssize_t)sizeof r && r.enabled > 0 && r.running == r.enabled &&
                 r.count <= INT64_MAX && (r.count > 0 || events[i].type == PERF_TYPE_SOFTWARE);
    if (whole) values[i] = (int64_t)r.count;
    close(c->fds[i]);
  }
}
