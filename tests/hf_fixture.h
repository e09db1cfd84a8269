/* Hugging Face folders made up for tests: any family of the table, stored in
 * any way, values a function of the tensor's name and place there (so that a
 * script can make the same model for transformers; fixtures/hf/make.py). */
#ifndef TERN_TESTS_HF_FIXTURE_H
#define TERN_TESTS_HF_FIXTURE_H

#include <stdbool.h>

#include "engine/format/safetensors.h"

typedef enum hf_store { HF_DENSE, HF_PACKED, HF_PACKED_DIVIDES, HF_ONLINE } hf_store;

typedef struct hf_fixture {
  const char *class_name; /* "LlamaForCausalLM" */
  hf_store store;         /* of the projections */
  tern_safetype type;     /* of floats */
  int layers, hidden, ffn, heads, kv_heads, head_dim, vocab;
  bool untied, sharded, input_norms;
  const char *extra;     /* more of config.json: "\"rope_theta\": 500000.0, " or NULL */
  const char *tokenizer; /* file to be copied to tokenizer.json; NULL: none */
} hf_fixture;

/* 2 layers of 256 x 512, 4 and 2 heads of 64, tied. */
hf_fixture hf_fixture_of(const char *class_name);
/* Makes the folder, which is not there yet; aborts when it can't. */
void hf_fixture_write(const char *folder, const hf_fixture *f);
/* config.json alone, as text; free(). */
char *hf_fixture_config(const hf_fixture *f);
/* Value i of the tensor of that name, before it is rounded to its type. */
double hf_fixture_value(const char *name, long i, double middle, double reach);

#endif
