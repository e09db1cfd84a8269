/* Which microarchitectures a machine has, from the numbers that /proc/cpuinfo
 * tells; tables of common ones, the bare numbers for the rest. */
#ifndef TERN_HARNESS_CPU_MODEL_H
#define TERN_HARNESS_CPU_MODEL_H

#include <stddef.h>

/* x86: vendor, family, model, stepping. ARM: vendor is "", family the
 * implementer, model the part. */
typedef struct tern_cpu_id {
  char vendor[16];
  unsigned family, model, stepping;
} tern_cpu_id;

/* "Zen 4 (Genoa)", "Neoverse N1", or "unknown (family 25, model 99, stepping 1)". */
void tern_cpu_microarchitecture(const tern_cpu_id *id, char *out, size_t size);

/* The distinct ones of all CPUs in `cpuinfo` (a file as /proc/cpuinfo), as
 * "Cortex-A76, Cortex-A55"; empty when the file tells nothing. */
void tern_cpu_microarchitectures(const char *cpuinfo, char *out, size_t size);

/* "KVM", "Hyper-V", ... or the raw twelve letters, of the hypervisor that
 * CPUID names; empty: none, or not x86. */
void tern_cpu_hypervisor(char *out, size_t size);

#endif
