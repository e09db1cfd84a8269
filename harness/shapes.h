/* Shapes that can be generated: the rows of published/shapes.csv. */
#ifndef TERN_HARNESS_SHAPES_H
#define TERN_HARNESS_SHAPES_H

#include <stdio.h>

#include "engine/format/synth.h"

/* Shape of that name (case counts not). An unknown one fails with TERN_USAGE
 * and the nearest names. */
int tern_shapes_find(const char *name, tern_synth_shape *out, tern_error *e);
/* Prints a table of all shapes. */
int tern_shapes_list(FILE *to, tern_error *e);

#endif
