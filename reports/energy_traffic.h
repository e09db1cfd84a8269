/* A second model of energy, beside the published one: arithmetic and the bytes
 * that pass each level of memory, from sizes alone. It is modelled and a lower
 * bound of traffic (every byte once a level and batch, no waste, no idle power);
 * it shows where the published column leaves the energy out. Energies a
 * operation and a 64-bit access: published/per_operation_energy_tables.csv. */
#ifndef TERN_REPORTS_ENERGY_TRAFFIC_H
#define TERN_REPORTS_ENERGY_TRAFFIC_H

#include <stddef.h>

#include "reports/doc.h"
#include "reports/results.h"
#include "reports/shapes.h"

/* Picojoules at one process node. Horowitz, ISSCC 2014 (45 nm); Jouppi et al.,
 * ISCA 2021, Table 2 (both). */
typedef struct tern_energy_node {
  const char *name;
  double add_int8, add_int32, mul_int8, add_fp16, mul_fp16; /* an operation */
  double sram_32k, sram_1m, dram;                           /* 64 bits */
} tern_energy_node;
/* 45 nm and 7 nm. */
const tern_energy_node *tern_energy_nodes(size_t *count);

typedef enum tern_energy_level {
  TERN_LEVEL_L1,
  TERN_LEVEL_L2,
  TERN_LEVEL_L3,
  TERN_LEVEL_DRAM,
  TERN_LEVELS
} tern_energy_level;

/* A way to hold the layers' weights; activations have 8 bits, in f16 16. */
typedef struct tern_energy_format {
  const char *name;
  double bits;            /* of a weight */
  bool integer, add_only; /* add_only: a ternary weight costs one INT8 add, as published */
} tern_energy_format;
/* Ternary at 2 and 1.6 bits, int8, f16. */
const tern_energy_format *tern_energy_formats(size_t *count);

typedef struct tern_energy_case {
  const tern_shape *shape;
  const tern_energy_format *format;
  int tokens;                    /* in one pass over the weights: 1 in decode */
  int depth;                     /* tokens in the KV cache before them */
  double cache[TERN_LEVEL_DRAM]; /* bytes of L1, L2, L3 */
} tern_energy_case;

typedef struct tern_energy_split {
  double arithmetic;           /* J */
  double bytes[TERN_LEVELS];   /* read or written there */
  double traffic[TERN_LEVELS]; /* J */
  double total;                /* J of the pass */
} tern_energy_split;

/* One pass: layers over all tokens, attention with its KV cache (f16), head
 * (f16, last token only). What is read again in every pass comes from the
 * nearest level that holds all of it, and passes every level before that. */
tern_energy_split tern_energy_traffic(const tern_energy_case *c, const tern_energy_node *node);

/* Appends the model's table for the run's first shape (2B4T where it has none). */
void tern_section_traffic(tern_doc *d, const tern_results *r);

#endif
