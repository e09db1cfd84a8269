/* Where each counter may come from. PAPI's presets first (they know the CPU),
 * then the kernel's generic events, then CPUs' own events that PAPI 7.0 has no
 * preset for: Intel, AMD since Zen, ARM. On AMD the kernel's generic
 * CACHE-MISSES are misses of the L2, so it stands last. */
#include <sys/resource.h>
#include <time.h>

#include "harness/counters_parts.h"

static int64_t cpu_clock(bool thread) {
  struct timespec t;
  if (clock_gettime(thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID, &t) != 0) return 0;
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct rusage usage(bool thread) {
  struct rusage u;
  return getrusage(thread ? RUSAGE_THREAD : RUSAGE_SELF, &u) == 0 ? u : (struct rusage){0};
}

static int64_t faults(bool thread) {
  struct rusage u = usage(thread);
  return u.ru_minflt + u.ru_majflt;
}

static int64_t major_faults(bool thread) {
  return usage(thread).ru_majflt;
}

static int64_t switches(bool thread) {
  struct rusage u = usage(thread);
  return u.ru_nvcsw + u.ru_nivcsw;
}

#define HARDWARE(column, is_anchor, ...)                                                                               \
  {                                                                                                                    \
    .name = column, .anchor = is_anchor, .events = { __VA_ARGS__ }                                                     \
  }
#define SOFTWARE(column, function, moves, from, event)                                                                 \
  {                                                                                                                    \
    .name = column, .software = true, .anchor = true, .account = function, .proof = moves, .account_name = from,       \
    .events = {                                                                                                        \
      event                                                                                                            \
    }                                                                                                                  \
  }

const tern_counter_source tern_counter_sources[TERN_COUNTERS] = {
    [TERN_CYCLES] = HARDWARE("cycles", true, "PAPI_TOT_CYC", "perf::CYCLES"),
    [TERN_REF_CYCLES] = HARDWARE("ref_cycles", false, "PAPI_REF_CYC", "perf::REF-CYCLES", "P0_FREQ_CYCLES_NOT_IN_HALT"),
    [TERN_INSTRUCTIONS] = HARDWARE("instructions", true, "PAPI_TOT_INS", "perf::INSTRUCTIONS"),
    [TERN_L1D_MISSES] = HARDWARE("l1d_misses", false, "PAPI_L1_DCM", "perf::L1-DCACHE-LOAD-MISSES", "L1D_CACHE_REFILL"),
    [TERN_L2_MISSES] = HARDWARE("l2_misses", false, "PAPI_L2_TCM", "PAPI_L2_DCM", "L2_RQSTS:MISS",
                                "CORE_TO_L2_CACHEABLE_REQUEST_ACCESS_STATUS:LS_RD_BLK_C", "L2D_CACHE_REFILL"),
    [TERN_CACHE_MISSES] = HARDWARE("cache_misses", false, "PAPI_L3_TCM", "LONGEST_LAT_CACHE:MISS", "LL_CACHE_MISS_RD",
                                   "L3D_CACHE_REFILL", "perf::CACHE-MISSES"),
    [TERN_BRANCHES] = HARDWARE("branches", false, "PAPI_BR_INS", "perf::BRANCHES", "BR_RETIRED"),
    [TERN_BRANCH_MISSES] = HARDWARE("branch_misses", false, "PAPI_BR_MSP", "perf::BRANCH-MISSES", "BR_MIS_PRED"),
    [TERN_STALLED_FRONTEND] = HARDWARE("stalled_frontend", false, "perf::STALLED-CYCLES-FRONTEND",
                                       "IDQ_UOPS_NOT_DELIVERED:CYCLES_0_UOPS_DELIV_CORE", "STALL_FRONTEND"),
    [TERN_STALLED_BACKEND] = HARDWARE("stalled_backend", false, "PAPI_RES_STL", "perf::STALLED-CYCLES-BACKEND",
                                      "CYCLE_ACTIVITY:STALLS_TOTAL", "RESOURCE_STALLS:ANY", "STALL_BACKEND"),
    [TERN_VECTOR_OPS] = HARDWARE("vector_ops", false, "PAPI_VEC_INS", "INT_VEC_RETIRED:256BIT",
                                 "RETIRED_SSE_AVX_FLOPS:ANY", "ASE_SPEC", "SVE_INST_SPEC"),
    [TERN_MEMORY_BYTES] = {.name = "memory_bytes", .uncore = true},
    [TERN_TASK_CLOCK] = SOFTWARE("task_clock_ns", cpu_clock, NULL, "clock_gettime(2)", "perf::TASK-CLOCK"),
    [TERN_PAGE_FAULTS] = SOFTWARE("page_faults", faults, NULL, "getrusage(2)", "perf::PAGE-FAULTS"),
    [TERN_MAJOR_FAULTS] = SOFTWARE("major_faults", major_faults, faults, "getrusage(2)", "perf::MAJOR-FAULTS"),
    [TERN_CONTEXT_SWITCHES] = SOFTWARE("context_switches", switches, NULL, "getrusage(2)", "perf::CONTEXT-SWITCHES"),
    [TERN_MIGRATIONS] = SOFTWARE("migrations", NULL, NULL, NULL, "perf::CPU-MIGRATIONS"),
};

const char *tern_counter_name(tern_counter c) {
  return tern_counter_sources[c].name;
}
