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
  tern_matrix q, k, v, o, gate, up, down;
  float *attn_norm, *attn_sub_norm, *ffn_norm, *ffn_sub_norm; /* NULL where the norm has no gain */
} tern_layer;

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
  float *norms; /* all gains, output norm first */
  size_t norms_bytes;
  tern_matrix head, embedding; /* embedding.data is NULL when it is the head */
  tern_scan scan;              /* matrix.data is NULL without exact head */
};

/* Sizes that shapes of tensors are made of. */
typedef enum tern_dim { TERN_DIM_HIDDEN, TERN_DIM_QUERY, TERN_DIM_KV, TERN_DIM_FFN, TERN_DIM_VOCAB } tern_dim;
int tern_dim_size(const tern_model_facts *f, tern_dim d);

/* Where the tensors of a layer go; one row a projection, one a norm. */
typedef struct tern_projection_place {
  const char *name; /* blk.N.<name>.weight */
  tern_dim rows, cols;
  size_t offset; /* of the tern_matrix in tern_layer */
} tern_projection_place;
typedef struct tern_norm_place {
  const char *name;
  tern_dim size;
  size_t offset; /* of the float * in tern_layer */
  size_t kind;   /* offset of the tern_norm in tern_arch */
} tern_norm_place;
enum { TERN_PROJECTIONS = 7, TERN_NORMS = 4 };
extern const tern_projection_place tern_projection_places[TERN_PROJECTIONS];
extern const tern_norm_place tern_norm_places[TERN_NORMS];
tern_norm tern_norm_kind(const tern_arch *a, int place);
tern_matrix *tern_layer_matrix(tern_layer *l, int place);
float **tern_layer_norm(tern_layer *l, int place);

/* What a file and the parameters amount to, before any weight is read. */
typedef struct tern_plan {
  tern_model_facts facts; /* complete but for zero_share; bytes with a scale a row */
  const tern_layout *body, *head;
  const tern_tuning *tuning; /* the caller's; NULL: none */
  tern_situation situation;  /* that kernels are chosen for */
  tern_i2s i2s;
  bool exact_head, own_head;
} tern_plan;

/* Reads and range-checks the numbers in the metadata. */
int tern_hparams_read(tern_model_facts *f, const tern_gguf *g, tern_error *e);
/* Finds and checks every tensor, chooses layouts and kernels, adds up bytes. */
int tern_plan_make(tern_plan *p, const tern_gguf *g, const tern_model_params *params, tern_error *e);
const tern_gguf_tensor *tern_plan_tensor(const tern_gguf *g, int layer, const char *name, const char *suffix);
size_t tern_gain_size(int n); /* floats a gain of n takes, padded to whole cache lines */
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
/* One row as floats (the token embedding). canonical: cols floats of scratch. */
void tern_matrix_row(const tern_matrix *m, int row, float *out, void *canonical);

#endif
