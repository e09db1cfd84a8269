/* Ternary codes of a whole matrix, however it is stored. */
#ifndef TERN_FORMAT_CONVERT_ROWS_H
#define TERN_FORMAT_CONVERT_ROWS_H

#include "engine/base/team.h"
#include "engine/format/gguf.h"

typedef struct tern_coded {
  int rows, cols;
  int8_t *codes; /* [rows][cols] */
  float *scales; /* [rows]; 0 where a row is all zeros */
  size_t codes_size, scales_size;
} tern_coded;

static inline int tern_tensor_rows(const tern_gguf_tensor *t) {
  return (int)(t->shape[1] * t->shape[2] * t->shape[3]);
}
/* A projection: blk.N.<attn_|ffn_>*.weight with two dimensions. */
bool tern_tensor_is_projection(const tern_gguf_tensor *t);
/* The kind of a tensor: its name without "blk.N." and ".weight". */
void tern_tensor_kind(const tern_gguf_tensor *t, char *out, size_t size);

/* Codes of the rows; floats that are exactly ternary count as such, others are
 * quantised by the mean of the matrix when `absmean`, else refused. */
int tern_coded_read(tern_coded *out, const tern_gguf *g, const tern_gguf_tensor *t, tern_i2s order, bool absmean,
                    tern_team *team, tern_error *e);
void tern_coded_free(tern_coded *c);
/* The one scale of all rows that are not zero, 0 when all are; false: they differ. */
bool tern_coded_one_scale(const tern_coded *c, float *scale);

#endif
