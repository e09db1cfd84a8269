/* Rows of files that are no GGUF, as GGUF would have them: a tensor's data is
 * then a tern_view, which says where the stored rows are and what is to be
 * done to each. Hugging Face: q and k of LLaMA-shaped models have the halves
 * of a head apart, which GGUF has as pairs; Gemma's gains lack 1; ternary
 * matrices are packed four rows a byte, or bf16 masters to be quantised by
 * their mean. llama2.c: ternary matrices of bitllama2c.
 * Sources: transformers integrations/bitnet.py, llama.cpp conversion/ (row
 * order, gains), HKUSTGZ-MICS-LYU/bitllama2.c. */
#ifndef TERN_FORMAT_VIEW_H
#define TERN_FORMAT_VIEW_H

#include <stdatomic.h>

#include "engine/format/dtype.h"

typedef struct tern_view {
  const uint8_t *rows;      /* as stored; any alignment */
  const tern_dtype *stored; /* F32, F16 or BF16; NULL: packed codes */
  int heads;                /* > 0: rows are so many heads, their halves to be interleaved */
  float shift;              /* is added to every value */
  float scale;              /* of packed codes */
  _Atomic(float) mean;      /* of |values| of a master; 0: not known yet */
} tern_view;

/* A float type's view; the name is the stored type's. */
const tern_dtype *tern_view_floats(const tern_dtype *stored);
/* Masters: code = round(value / mean) within -1..1, scale the mean over the
 * whole tensor (at least 1e-5). */
extern const tern_dtype tern_dtype_master;
/* Hugging Face's packing: row r is bits 2 (r / (rows / 4)) of stored row r % (rows / 4), code + 1. */
extern const tern_dtype tern_dtype_packed_rows;
/* llama2.c's: weight i of the tensor at bits 6 - 2 (i % 4) of byte i / 4; 1 = +1, 3 = -1. */
extern const tern_dtype tern_dtype_packed_llama2c;

#endif
