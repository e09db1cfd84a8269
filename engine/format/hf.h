/* Hugging Face folders: config.json, model.safetensors (or the shards that
 * model.safetensors.index.json lists), seen as the GGUF file that they would
 * convert to. The tokenizer stays in its own file, which key
 * ternmark.tokenizer names. */
#ifndef TERN_FORMAT_HF_H
#define TERN_FORMAT_HF_H

#include <jansson.h>

#include "engine/format/gguf.h"

int tern_hf_open(tern_gguf **out, const char *folder, tern_error *e);
/* config.json alone: the keys it amounts to, as a tern_gguf without tensors. */
int tern_hf_config_parse(tern_gguf **out, const char *text, size_t size, const char *name, tern_error *e);

#endif
