/* What the files of the Hugging Face reader and exporter share: the table of
 * families and the map of tensor names, both read in either direction. */
#ifndef TERN_FORMAT_HF_PARTS_H
#define TERN_FORMAT_HF_PARTS_H

#include "engine/base/file.h"
#include "engine/format/hf.h"
#include "engine/format/safetensors.h"

/* Names of a tensor: <prefix><hf>.<suffix> there, <gguf>.<suffix> here; inside
 * a layer after "layers.N." and "blk.N.". */
typedef struct hf_name {
  const char *hf, *gguf;
} hf_name;

typedef struct hf_family {
  const char *classes[4]; /* config.json: architectures[0] */
  const char *model_type; /* where there are none */
  const char *arch;       /* general.architecture */
  const char *act;        /* hidden_act that the architecture has */
  const hf_name *layer;   /* names inside a layer, ended by NULL */
  bool gains_lack_one;    /* stored norm gains are 1 less */
  bool masters;           /* float projections are to be quantised, without a quantization_config too */
  bool tied;              /* when the config is silent */
  int head_dim;           /* when the config is silent; 0: hidden / heads */
  double rope_theta;      /* when the config is silent */
} hf_family;

const hf_family *tern_hf_family_at(int i);                                       /* NULL past the end */
const hf_family *tern_hf_family(const char *class_name, const char *model_type); /* NULL: none */
/* First row of that GGUF architecture; NULL: none. */
const hf_family *tern_hf_family_of_arch(const char *arch);

/* How config.json says that projections are stored. */
typedef struct hf_quantisation {
  bool bitnet;  /* quantization_config.quant_method */
  bool masters; /* floats, quantised by their mean when used */
  bool divides; /* packed: the weight is code / weight_scale, else code * weight_scale */
} hf_quantisation;

typedef struct hf_config {
  const char *path;
  json_t *root, *text; /* text: the language model's object, root itself or text_config */
  const hf_family *family;
  hf_quantisation quantisation;
  int layers, heads, kv_heads, head_dim;
  bool tied;
} hf_config;

/* Parses and checks; root is freed by tern_hf_config_close. */
int tern_hf_config_read(hf_config *c, const char *text, size_t size, const char *path, tern_error *e);
void tern_hf_config_close(hf_config *c);
/* Writes all keys but the tokenizer's. */
int tern_hf_config_put(const hf_config *c, tern_gguf_writer *w, const char *name, tern_error *e);
/* llama3 scaling: rope_freqs factors, [head_dim / 2]; NULL and rc 0 where there is none. free(). */
int tern_hf_rope_factors(const hf_config *c, float **factors, tern_error *e);

typedef enum hf_part { HF_WEIGHT, HF_BIAS, HF_SCALE, HF_UNUSED } hf_part;
typedef struct hf_place {
  char name[96]; /* GGUF's, with its suffix; of the matrix for HF_SCALE */
  hf_part part;
  bool query, key; /* rows are heads that RoPE turns */
  bool norm;       /* a gain */
  bool own_norm;   /* the family's: an input norm is BitLinear's */
  bool projection; /* one of a layer's matrices */
} hf_place;
/* Where a tensor of that name goes; fails, naming it, when there is no place. */
int tern_hf_place(const hf_family *f, const char *name, int layers, const char *file, hf_place *out, tern_error *e);
/* The other way: NULL when the family has no such tensor. out: [size]. */
const char *tern_hf_name(const hf_family *f, const char *gguf, char *out, size_t size);

/* All shards of a folder. */
typedef struct hf_shards {
  struct hf_shard {
    char *path;
    tern_map map;
    tern_safetensors *tensors;
  } * list;
  int count;
} hf_shards;
int tern_hf_shards_open(hf_shards *s, const char *folder, tern_error *e);
void tern_hf_shards_close(hf_shards *s);

#endif
