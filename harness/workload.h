/* Workloads: what is timed. One row of a table each; a preset names its rows,
 * lists of numbers make them. */
#ifndef TERN_HARNESS_WORKLOAD_H
#define TERN_HARNESS_WORKLOAD_H

#include "engine/base/error.h"

typedef enum tern_phase { TERN_PHASE_PREFILL, TERN_PHASE_DECODE } tern_phase;

enum {
  TERN_MOST_WORKLOADS = 96,
  TERN_WORKLOAD_NAME = 32,
  TERN_MOST_NUMBERS = 16,
  /* Context of a decode without a depth: a prompt of a few words. */
  TERN_SHORT_CONTEXT = 8
};

typedef struct tern_workload {
  char name[TERN_WORKLOAD_NAME]; /* "prefill-512", "prefill-512/b64", "decode-128", "decode-128@512" */
  tern_phase phase;
  int context; /* tokens in the KV cache before the timed call */
  int tokens;  /* of the timed call */
  int batch;   /* tokens fed at once in prefill; 0: the engine's choice */
  int prompt;  /* 0: the ids that all workloads share; else a line of a prompts' file, from 1 */
} tern_workload;

typedef struct tern_workload_list {
  tern_workload items[TERN_MOST_WORKLOADS];
  int count;
} tern_workload_list;

typedef struct tern_preset {
  const char *name;
  const tern_workload *workloads;
  int count;
  int blocks;      /* repetitions, warm-up not counted */
  double budget_s; /* stop after the block that would pass this; 0: none */
} tern_preset;

typedef struct tern_numbers {
  int items[TERN_MOST_NUMBERS];
  int count;
} tern_numbers;

/* What a list of workloads is made from. */
typedef struct tern_workload_ask {
  tern_numbers prompt, gen, depth, batch; /* an empty depth is 0, an empty batch the engine's choice */
} tern_workload_ask;

const char *tern_phase_name(tern_phase phase);
/* "quick", "default", "full"; NULL: no such preset. */
const tern_preset *tern_preset_find(const char *name);

void tern_workloads_from_preset(tern_workload_list *out, const tern_preset *p);
/* For each depth every prompt length with every batch, then every generation:
 * a decode follows the prefill whose KV cache it needs. TERN_USAGE when there
 * are too many. */
int tern_workloads_make(tern_workload_list *out, const tern_workload_ask *ask, tern_error *e);
/* Appends the prefill of line `prompt`, of so many tokens, and each generation
 * after it. */
int tern_workloads_add_prompt(tern_workload_list *out, int prompt, int tokens, const tern_numbers *gen, tern_error *e);
/* Greatest context + tokens: positions a session needs. */
int tern_workloads_positions(const tern_workload_list *l);

#endif
