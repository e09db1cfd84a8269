/* Where each counter may come from. PAPI's presets first (they know the CPU),
 * then the kernel's generic events, then CPUs' own events that PAPI 7.0 has no
 * preset for: Intel, AMD since Zen, ARM. On AMD the kernel's generic
 * CACHE-MISSES are misses of the L2, so it stands last. */
#include <linux/perf_event.h>
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

#define GENERIC(event)                                                                                                 \
  { "perf " #event, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##event }
#define GENERIC_CACHE(cache)                                                                                           \
  {                                                                                                                    \
    "perf " #cache "_READ_MISS", PERF_TYPE_HW_CACHE,                                                                   \
        PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_READ << 8 | PERF_COUNT_HW_CACHE_RESULT_MISS << 16         \
  }

const tern_counter_source tern_counter_sources[TERN_COUNTERS] = {
    [TERN_CYCLES] = {.name = "cycles",
                     .anchor = true,
                     .events = {"PAPI_TOT_CYC", "perf::CYCLES"},
                     .generic = GENERIC(CPU_CYCLES)},
    [TERN_REF_CYCLES] = {.name = "ref_cycles",
                         .events = {"PAPI_REF_CYC", "perf::REF-CYCLES", "P0_FREQ_CYCLES_NOT_IN_HALT"},
                         .generic = GENERIC(REF_CPU_CYCLES)},
    [TERN_INSTRUCTIONS] = {.name = "instructions",
                           .anchor = true,
                           .events = {"PAPI_TOT_INS", "perf::INSTRUCTIONS"},
                           .generic = GENERIC(INSTRUCTIONS)},
    [TERN_L1D_MISSES] = {.name = "l1d_misses",
                         .events = {"PAPI_L1_DCM", "perf::L1-DCACHE-LOAD-MISSES", "L1D_CACHE_REFILL"},
                         .generic = GENERIC_CACHE(L1D)},
    [TERN_L2_MISSES] = {.name = "l2_misses",
                        .events = {"PAPI_L2_TCM", "PAPI_L2_DCM", "L2_RQSTS:MISS",
                                   "CORE_TO_L2_CACHEABLE_REQUEST_ACCESS_STATUS:LS_RD_BLK_C", "L2D_CACHE_REFILL"}},
    [TERN_CACHE_MISSES] = {.name = "cache_misses",
                           .events = {"PAPI_L3_TCM", "LONGEST_LAT_CACHE:MISS", "LL_CACHE_MISS_RD", "L3D_CACHE_REFILL",
                                      "perf::CACHE-MISSES"},
                           .generic = GENERIC(CACHE_MISSES)},
    [TERN_BRANCHES] = {.name = "branches",
                       .events = {"PAPI_BR_INS", "perf::BRANCHES", "BR_RETIRED"},
                       .generic = GENERIC(BRANCH_INSTRUCTIONS)},
    [TERN_BRANCH_MISSES] = {.name = "branch_misses",
                            .events = {"PAPI_BR_MSP", "perf::BRANCH-MISSES", "BR_MIS_PRED"},
                            .generic = GENERIC(BRANCH_MISSES)},
    [TERN_STALLED_FRONTEND] = {.name = "stalled_frontend",
                               .events = {"perf::STALLED-CYCLES-FRONTEND",
                                          "IDQ_UOPS_NOT_DELIVERED:CYCLES_0_UOPS_DELIV_CORE", "STALL_FRONTEND"},
                               .generic = GENERIC(STALLED_CYCLES_FRONTEND)},
    [TERN_STALLED_BACKEND] = {.name = "stalled_backend",
                              .events = {"PAPI_RES_STL", "perf::STALLED-CYCLES-BACKEND", "CYCLE_ACTIVITY:STALLS_TOTAL",
                                         "RESOURCE_STALLS:ANY", "STALL_BACKEND"},
                              .generic = GENERIC(STALLED_CYCLES_BACKEND)},
    [TERN_VECTOR_OPS] = {.name = "vector_ops",
                         .events = {"PAPI_VEC_INS", "INT_VEC_RETIRED:256BIT", "RETIRED_SSE_AVX_FLOPS:ANY", "ASE_SPEC",
                                    "SVE_INST_SPEC"}},
    [TERN_MEMORY_BYTES] = {.name = "memory_bytes", .uncore = true},
    [TERN_TASK_CLOCK] = {.name = "task_clock_ns",
                         .software = true,
                         .anchor = true,
                         .account = cpu_clock,
                         .account_name = "clock_gettime(2)",
                         .events = {"perf::TASK-CLOCK"}},
    [TERN_PAGE_FAULTS] = {.name = "page_faults",
                          .software = true,
                          .anchor = true,
                          .account = faults,
                          .account_name = "getrusage(2)",
                          .events = {"perf::PAGE-FAULTS"}},
    [TERN_MAJOR_FAULTS] = {.name = "major_faults",
                           .software = true,
                           .anchor = true,
                           .account = major_faults,
                           .proof = faults,
                           .account_name = "getrusage(2)",
                           .events = {"perf::MAJOR-FAULTS"}},
    [TERN_CONTEXT_SWITCHES] = {.name = "context_switches",
                               .software = true,
                               .anchor = true,
                               .account = switches,
                               .account_name = "getrusage(2)",
                               .events = {"perf::CONTEXT-SWITCHES"}},
    [TERN_MIGRATIONS] = {.name = "migrations",
                         .software = true,
                         .anchor = true,
                         .events = {"perf::CPU-MIGRATIONS"},
                         .generic = {"perf CPU_MIGRATIONS", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS}},
};

const char *tern_counter_name(tern_counter c) {
  return tern_counter_sources[c].name;
}
