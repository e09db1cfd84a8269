/* Model shapes from published/shapes.csv. */
#ifndef TERN_REPORTS_SHAPES_H
#define TERN_REPORTS_SHAPES_H

#include <stddef.h>

#include "engine/base/error.h"
#include "reports/csv_read.h"

typedef struct tern_shape {
  char name[32], family[64], activation[24], norms[96];
  int layers, hidden, ffn, heads, kv_heads, head_dim, vocab;
  double rope_theta;
  int tied; /* 1: the output head is the embedding */
} tern_shape;

/* Row of shapes.csv, checked: sizes are whole numbers from 1 on. */
int tern_shape_read(const tern_table *t, int row, tern_shape *out, tern_error *e);
/* Shape of that name (case counts not); fails with the list of names. */
int tern_shape_find(const char *name, tern_shape *out, tern_error *e);

/* Weights of all layers' projections: no embedding, head or norms. */
double tern_shape_body_weights(const tern_shape *s);

#endif
