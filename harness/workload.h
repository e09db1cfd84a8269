/* Workloads: what is timed. One row of a table each; a preset names its rows. */
#ifndef TERN_HARNESS_WORKLOAD_H
#define TERN_HARNESS_WORKLOAD_H

typedef enum tern_phase { TERN_PHASE_PREFILL, TERN_PHASE_DECODE } tern_phase;

typedef struct tern_workload {
  const char *name; /* "prefill-512", "decode-128", "decode-128@512" */
  tern_phase phase;
  int context; /* tokens in the KV cache before the timed call */
  int tokens;  /* of the timed call */
  int batch;   /* tokens fed at once in prefill; 0: the engine's choice */
} tern_workload;

typedef struct tern_preset {
  const char *name;
  const tern_workload *workloads;
  int count;
  int blocks;      /* repetitions, warm-up not counted */
  double budget_s; /* stop after the block that would pass this; 0: none */
} tern_preset;

const char *tern_phase_name(tern_phase phase);
/* "quick", "default", "full"; NULL: no such preset. */
const tern_preset *tern_preset_find(const char *name);
/* Greatest context + tokens of the preset: positions a session needs. */
int tern_preset_positions(const tern_preset *p);

#endif
