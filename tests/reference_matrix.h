/* Matrices of the reference: canonical weights of a file's tensor in the values
 * that a layout holds, and the product with one row, in the written order. */
#ifndef TERN_TESTS_REFERENCE_MATRIX_H
#define TERN_TESTS_REFERENCE_MATRIX_H

#include "engine/format/gguf.h"

typedef struct matrix {
  int rows, cols;
  float *w;     /* float weights */
  int8_t *q;    /* or integers */
  float *scale; /* with a scale a row, or for each block of columns */
  int block;    /* columns of a scale; 0: the row */
} matrix;

void *reference_get(size_t count, size_t size); /* zeros; aborts without memory */
_Noreturn void reference_stop(const char *what);

float reference_dot(const float *a, const float *b, int n);
float reference_tree(float *lane); /* of 16 */
float reference_absmax(const float *x, int n);
int8_t reference_clamped(float v);
float reference_round(const char *type, float x); /* to "f16" or "bf16" and back; others: as it is */

/* NULL: absent. */
const tern_gguf_tensor *reference_tensor(const tern_gguf *g, int layer, const char *name, const char *suffix);
matrix reference_load(const tern_gguf *g, int layer, const char *name, const char *layout);
void reference_free(matrix *m);
/* A gain or a bias; NULL: absent. */
float *reference_vector(const tern_gguf *g, int layer, const char *name, const char *suffix);

/* y = m . x; integer matrices quantise x first. */
void reference_multiply(float *y, const matrix *m, const float *x);
float reference_weight(const matrix *m, int row, int col);

#endif
