/* Models without training: a valid GGUF of any shape with seeded weights and a
 * generated vocabulary. The same shape, type and seed give the same bytes on
 * every machine and for every thread count; the same seed gives the same
 * weights in every type (ternary codes times a scale that f16, bf16 and Q8_0
 * hold exactly; embeddings are f16 numbers). */
#ifndef TERN_FORMAT_SYNTH_H
#define TERN_FORMAT_SYNTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/team.h"
#include "engine/format/dtype.h"

/* Changes when the same seed gives other bytes (key ternmark.synth_version). */
enum { TERN_SYNTH_VERSION = 3 };

typedef struct tern_synth_shape {
  char name[32];
  char arch[16]; /* GGUF architecture, as in the table of arch.c */
  int layers, hidden, ffn, heads, kv_heads, head_dim, vocab;
  double rope_theta;
  bool tied;            /* the output head is the embedding */
  bool input_norms;     /* BitNet embeddings: a norm at each projection, the last token's state */
  double llama3_factor; /* scaling of RoPE as in LLaMA 3.1 and later; 0: none */
  int window;           /* of families with sliding windows; 0: 512 */
  bool full_precision;  /* published with 16 bits a weight, never ternary */
} tern_synth_shape;

typedef struct tern_synth_params {
  const tern_dtype *type; /* of the projections; NULL: the shape's own, I2_S or F16 */
  const tern_dtype *head; /* of token_embd and output; NULL: F16 */
  int layers;             /* fewer than the shape has; <= 0: all. Layers kept equal those of the full file */
  uint64_t seed;
  bool progress; /* bar on stderr */
} tern_synth_params;

/* A shape small enough for tests: 2 layers of 256 x 512, vocabulary of 512. */
extern const tern_synth_shape tern_synth_tiny;

/* The shape's family in the size of tests: its heads' grouping, norms and
 * scalings, layers for a whole period of windows and one more. Every type fits. */
tern_synth_shape tern_synth_shrunk(const tern_synth_shape *shape);

/* Type of the projections that these parameters give the shape. */
const tern_dtype *tern_synth_type(const tern_synth_shape *shape, const tern_synth_params *params);

/* Writes the file (atomically). Fails when the type can't hold the shape. */
int tern_synth(const char *path, const tern_synth_shape *shape, const tern_synth_params *params, tern_team *team,
               tern_error *e);

/* Bytes of the tensors that tern_synth would write; metadata comes on top (a
 * few MB at most). */
int tern_synth_bytes(const tern_synth_shape *shape, const tern_synth_params *params, size_t *bytes, tern_error *e);

#endif
