/* Tiny model files for tests: any shape, seeded weights, and on wish one thing
 * wrong with them. */
#ifndef TERN_TESTS_REFERENCE_FILE_H
#define TERN_TESTS_REFERENCE_FILE_H

#include "engine/format/gguf.h"

typedef struct tiny_shape {
  const char *arch;
  int layers, hidden, ffn, heads, kv_heads, vocab, context;
  const char *body, *embedding; /* disk types */
  bool own_head;                /* write output.weight too */
  float head_gain;              /* of the output norm; 0: 1 */
  float faint;                  /* further factor of its last three quarters; 0: 1 */
} tiny_shape;

/* What else a family may have; zeros: not. What belongs to an architecture
 * (biases, head and post norms) is always there. */
typedef struct tiny_family {
  int head_dim;        /* 0: hidden / heads */
  int rotated;         /* dimensions that RoPE turns; 0: all */
  int window, period;  /* keys of sliding windows */
  const char *scaling; /* rope.scaling.type, or "freqs" for a rope_freqs tensor */
  bool input_norms;    /* BitNet embeddings */
  bool uneven;         /* ternary blocks get scales of their own */
  bool dead;           /* ternary scales are 0 */
  const char *key;     /* one more key of the architecture, with this number */
  float number;
} tiny_family;

/* One fault; all zero: none. Tensors by full name. */
typedef struct tiny_fault {
  const char *missing;  /* tensor left out */
  const char *longer;   /* tensor with twice the rows (or, for a gain, elements) */
  const char *turned;   /* tensor with rows and columns swapped */
  const char *nan_in;   /* tensor with a NaN scale or weight */
  const char *code3_in; /* I2_S tensor with a code 3 */
  const char *stranger; /* extra tensor */
  const char *key;      /* integer key of the architecture ("block_count") set to */
  uint32_t value;       /* this */
  int tokens;           /* entries of tokenizer.ggml.tokens; 0: none written */
  const char *i2s;      /* value of ternmark.i2s_layout */
} tiny_fault;

/* Adjusts embedding rows [vocab][hidden] before they are written; NULL: none. */
typedef void (*tiny_edit)(float *rows, int vocab, int hidden);

/* Writes the file; path: room for 64 bytes, filled in. Aborts when it cannot. */
void tiny_write(char *path, const tiny_shape *s, const tiny_fault *fault, tiny_edit edit, uint64_t seed);

void tiny_write_family(char *path, const tiny_shape *s, const tiny_family *family, const tiny_fault *fault,
                       uint64_t seed);

#endif
