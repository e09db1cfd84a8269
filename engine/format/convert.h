/* From any readable model to GGUF in any type that can be written, and the
 * proof that what counts came through unchanged. */
#ifndef TERN_FORMAT_CONVERT_H
#define TERN_FORMAT_CONVERT_H

#include "engine/base/team.h"
#include "engine/format/gguf.h"

typedef struct tern_convert_params {
  const tern_dtype *type; /* of the projections; NULL: as they are (views: I2_S, or the stored floats) */
  const tern_dtype *head; /* of token_embd and output; NULL: as they are */
  bool absmean;           /* quantise float projections by their mean; else only floats that are ternary become codes */
  tern_i2s i2s;           /* order of the input's I2_S codes; TERN_I2S_AUTO: as the file says */
  const char *name;       /* general.name; NULL: the input's */
  /* Writes the tokenizer.ggml.* keys of a vocabulary of that size; NULL: the
   * input's keys are taken over. */
  int (*put_vocabulary)(void *arg, tern_gguf_writer *w, int64_t vocab, tern_error *e);
  void *arg;
  bool progress;
} tern_convert_params;

/* The output appears whole or not at all. Fails, naming the tensor, where the
 * type can't hold a matrix (shape, scales that differ between rows, values that
 * are not ternary). */
int tern_convert(const tern_gguf *in, const char *out, const tern_convert_params *p, tern_team *team, tern_error *e);

/* What a comparison found, one line a kind of tensor ("attn_q", "token_embd"). */
typedef struct tern_convert_line {
  char kind[48];
  const char *from, *to; /* types of the first tensor of the kind */
  bool ternary;          /* compared as codes and scales, else as values */
  int tensors;
  double weights;
  double codes_changed;  /* codes, or values that are not the same bits */
  double scales_changed; /* rows */
  double worst;          /* greatest relative change: of a scale, or of a value against its row's greatest */
} tern_convert_line;

/* Every tensor of `in` against `out`'s. A zero row's scale has no say. lines:
 * free(). */
int tern_convert_verify(const tern_gguf *in, const tern_gguf *out, const tern_convert_params *p,
                        tern_convert_line **lines, int *count, tern_error *e);

#endif
