/* Instruction-set features that matter to inference: what the CPU advertises,
 * what runs when it is tried (hypervisors advertise features that then fault),
 * and which kernels of ours take it. */
#ifndef TERN_HARNESS_CPU_FEATURES_H
#define TERN_HARNESS_CPU_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tern_cpu_feature {
  const char *name; /* "avx512_vnni", "i8mm" */
  bool advertised;
  bool executed; /* one instruction of it ran under a trap handler */
  /* Level (kernels/cpu.h) that needs it; -1: no kernel takes it. */
  int isa;
  bool aside; /* higher levels do without it */
} tern_cpu_feature;

/* Found once a process; the count. Not for two threads at once the first time. */
int tern_cpu_features(const tern_cpu_feature **list);
/* Whether the feature of that name runs here. */
bool tern_cpu_runs(const char *feature);
/* Names of the kernels chosen here (kernels/kernel.h) whose level needs the
 * feature or stands above one that does: "t2_avx2, q8_avx2", "all"; empty: none. */
void tern_cpu_feature_users(const tern_cpu_feature *f, char *out, size_t size);

#endif
