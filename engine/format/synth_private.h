/* Pieces of the generator: the plan (which tensors), the keys, the vocabulary,
 * and the values of a row. */
#ifndef TERN_FORMAT_SYNTH_PRIVATE_H
#define TERN_FORMAT_SYNTH_PRIVATE_H

#include "engine/format/arch.h"
#include "engine/format/gguf.h"
#include "engine/format/synth.h"

typedef enum synth_fill {
  FILL_TERNARY,
  FILL_EMBEDDING,
  FILL_NORM,
  FILL_LAST_NORM, /* gains of either sign: a tied head must not simply give the input token back */
  FILL_BIAS,
  FILL_ROPE /* LLaMA 3's divisors of RoPE's rates */
} synth_fill;

typedef struct synth_tensor {
  char name[48];
  const tern_dtype *type;
  synth_fill fill;
  int dims, rows, cols;
  uint64_t stream; /* of random numbers; the same for every type and number of layers */
  float scale;     /* FILL_TERNARY: value of code 1 */
  int index;       /* in the writer */
  int64_t chunk0;  /* chunks of all tensors before */
} synth_tensor;

typedef struct synth_plan {
  tern_synth_shape shape; /* layers cut as asked */
  const tern_arch *arch;
  double branch_size; /* deviation of what a branch adds, from the whole number of layers */
  const tern_dtype *type, *head;
  uint64_t seed;
  bool progress;
  synth_tensor *tensors;
  int count;
  int64_t chunks;
  size_t bytes;
} synth_plan;

/* Rows encoded and written at once: a multiple of 32, so that a chunk of I2_S
 * is whole blocks for every column count that is a multiple of 4. */
enum { SYNTH_CHUNK = 64 };

int tern_synth_plan(synth_plan *plan, const tern_synth_shape *shape, const tern_synth_params *params, tern_error *e);
void tern_synth_put_keys(tern_gguf_writer *w, const synth_plan *plan);
/* tokenizer.ggml.*: byte-level BPE of exactly `size` tokens. */
int tern_synth_put_vocabulary(tern_gguf_writer *w, int size, tern_error *e);

/* Scale of a ternary matrix: keeps the spread of activations, 8 significant bits. */
/* Scale of one ternary matrix whose outputs have the deviation `size` for inputs of deviation 1. */
float tern_synth_scale(uint64_t seed, uint64_t stream, int cols, double size);
/* Codes of one row; writes up to 31 bytes past cols. */
void tern_synth_codes(uint64_t seed, uint64_t stream, int cols, int row, int8_t *codes);
/* LLaMA 3's divisors of the rates theta^(-2i / (2 * half)) for a trained context of 8192. */
void tern_synth_rope(double factor, double theta, int half, float *values);
/* Floats of one row of the other fills. */
void tern_synth_floats(uint64_t seed, uint64_t stream, synth_fill fill, int cols, int row, float *values);

#endif
