/* The energy column of arXiv 2504.12285, Table 1, as a formula. It is a model
 * of arithmetic at 7 nm, no reading: a full 512-token pass, weights' products
 * as FP16 multiply and add (ternary: one INT8 add), attention's products as
 * FP16, nothing for memory, norms, embedding or head. */
#ifndef TERN_REPORTS_ENERGY_MODEL_H
#define TERN_REPORTS_ENERGY_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/shapes.h"

enum { TERN_ENERGY_TOKENS = 512 };

/* pJ of one multiply-accumulate with a weight, at 7 nm (2504.12285v2 Table 4). */
#define TERN_ENERGY_FP16_MAC 0.5
#define TERN_ENERGY_INT8_ADD 0.007

/* Joules of the pass. */
double tern_energy_model(const tern_shape *s, bool ternary);

/* The six models of the table. */
typedef struct tern_energy_row {
  const char *shape;   /* name in shapes.csv */
  const char *printed; /* model's name in the published table */
  bool ternary;
} tern_energy_row;
const tern_energy_row *tern_energy_rows(size_t *count);

#endif
