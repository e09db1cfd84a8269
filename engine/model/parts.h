/* Inside of a model, shared by the files of engine/model only: the matrices in
 * their packed layouts, the layers, and what is known before loading. */
#ifndef TERN_MODEL_PARTS_H
#define TERN_MODEL_PARTS_H

#include "engine/base/memory.h"
#include "engine/model/model.h"

typedef struct tern_matrix {
  int rows, cols;
  const tern_layout *layout;
  const tern_kernel *kernels[TERN_BATCH_CLASSES]; /* by tern_batch_class of the tokens */
  void *data;
  size_t bytes;
  float *scale; /* integer layouts: [rows], or one when scale_stride is 0 */
  size_t scale_bytes;
  int scale_stride;
} tern_matrix;

typedef struct tern_layer {
  tern_matrix w[TERN_PROJECTIONS];
  float *norms[TERN_NORMS];        /* gains; NULL where the norm has none, or is not there */
  float *biases[TERN_PROJECTIONS]; /* NULL: none */
  bool local;                      /* attention sees a sliding window, with the local RoPE */
  bool inputs[2];                  /* input norms: q, k, v each are fed of their own; gate and up likewise */
} tern_layer;

/* Angles of one position are rates[i] * position; cos and sin are multiplied
 * by `size` (YaRN). */
typedef struct tern_rope_table {
  double *rates; /* [facts.rotated / 2] */
  float size;
} tern_rope_table;

/* Int8 copy of the head and, a row, what bounds the copy's error. */
typedef struct tern_scan {
  tern_matrix matrix;
  float *error; /* [rows] >= |w - w'|, w' the copy's row */
  float *norm;  /* [rows] >= |w| and >= |w'| */
  float norm_max;
  size_t bound_bytes; /* of each of the two arrays */
} tern_scan;

struct tern_model {
  tern_model_facts facts;
  tern_pool weights; /* of all matrices: a few of its pages are small, and no stream breaks off */
  const tern_vec *vec;
  tern_layer *layers;
  size_t layers_bytes;
  float *norms; /* all gains and biases, output norm first */
  size_t norms_bytes;
  tern_rope_table rope[2];     /* of layers that see all; of local ones (rates NULL without windows) */
  size_t rope_bytes;           /* of each rates */
  tern_matrix head, embedding; /* embedding.data is NULL when it is the head */
  tern_scan scan;              /* matrix.data is NULL without exact head */
};

int tern_dim_size(const tern_model_facts *f, tern_dim d);

/* What a file and the parameters amount to, before any weight is read. */
typedef struct tern_plan {
  tern_model_facts facts; /* complete but for zero_share; bytes with a scale a row */
  const tern_layout *body, *head;
  const tern_tuning *tuning; /* the caller's; NULL: none */
  tern_situation situation;  /* that kernels are chosen for */
  tern_i2s i2s;
  bool exact_head, own_head;
} tern_plan;

/* One number of the architecture's metadata within a range. */
typedef struct tern_keys {
  const tern_gguf *g;
  const char *arch;
  char key[256];
} tern_keys;
const char *tern_key(tern_keys *k, const char *name);
/* fallback < 0: required. */
int tern_key_integer(tern_keys *k, const char *name, int64_t low, int64_t high, int fallback, int *out, tern_error *e);
/* fallback NAN: required. */
int tern_key_real(tern_keys *k, const char *name, double low, double high, double fallback, double *out, tern_error *e);

/* Reads and range-checks the numbers in the metadata. */
int tern_hparams_read(tern_model_facts *f, const tern_gguf *g, tern_error *e);
/* RoPE's share of them; makes the tables. */
int tern_rope_read(tern_model_facts *f, tern_keys *k, tern_error *e);
int tern_rope_make(tern_model *m, const tern_gguf *g, tern_error *e);
void tern_rope_free(tern_model *m);
/* Layer sees a sliding window. */
bool tern_layer_is_local(const tern_model_facts *f, int layer);
/* Finds and checks every tensor, chooses layouts and kernels, adds up bytes. */
int tern_plan_make(tern_plan *p, const tern_gguf *g, const tern_model_params *params, tern_error *e);
/* blk.N.<name in this family>.<suffix>; NULL: absent. */
const tern_gguf_tensor *tern_plan_tensor(const tern_plan *p, const tern_gguf *g, int layer, const char *usual,
                                         const char *suffix);
/* The tensor of a layer's norm or bias that the forward pass is to have; NULL: none. */
const tern_gguf_tensor *tern_plan_norm(const tern_plan *p, const tern_gguf *g, int layer, int place);
const tern_gguf_tensor *tern_plan_bias(const tern_plan *p, const tern_gguf *g, int layer, int projection);
size_t tern_gain_size(int n); /* floats a gain or bias of n takes, padded to whole cache lines */
size_t tern_plan_bytes(const tern_plan *p);

/* Packing: buffers of every team member, and what was counted on the way. */
typedef struct tern_packer tern_packer;
int tern_packer_open(tern_packer **out, const tern_gguf *g, const tern_plan *plan, tern_team *team, tern_pool *weights,
                     tern_error *e);
void tern_packer_close(tern_packer *p);
/* Allocates m and fills it from the tensor; factor multiplies every weight. */
int tern_pack_matrix(tern_packer *p, tern_matrix *m, const tern_layout *layout, const tern_gguf_tensor *t, float factor,
                     tern_error *e);
/* Makes the int8 copy of a packed head. */
int tern_pack_scan(tern_packer *p, tern_scan *scan, const tern_matrix *head, tern_error *e);
int64_t tern_packer_zeros(const tern_packer *p); /* ternary codes 0 met so far */
/* q = round_half_even(w * 127 / max|w|); returns the scale max|w| / 127. */
float tern_row_to_int8(int8_t *q, const float *w, int n);

int tern_matrix_alloc(tern_matrix *m, tern_pool *weights, const tern_choice *choice, int rows, int cols, tern_error *e);
void tern_matrix_free(tern_matrix *m, const tern_pool *weights);
/* What the pool of all matrices needs. */
size_t tern_plan_pool(const tern_plan *p);
/* Elements between the input rows of a matrix: columns padded for its layout
 * and to whole cache lines. */
size_t tern_matrix_x_stride(const tern_matrix *m);
/* Scales and sums of an input row: 1, or one a block of a block-scaled layout. */
size_t tern_matrix_x_blocks(const tern_matrix *m);
/* One row as floats (the token embedding). canonical: tern_matrix_canonical(cols) bytes of scratch. */
size_t tern_matrix_canonical(size_t cols);
void tern_matrix_row(const tern_matrix *m, int row, float *out, void *canonical);

#endif
