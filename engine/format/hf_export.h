/* A model as a Hugging Face folder: config.json and model.safetensors that
 * transformers loads (ternary projections packed, quant_method bitnet). The
 * tokenizer's files are written by whoever knows tokenizers. */
#ifndef TERN_FORMAT_HF_EXPORT_H
#define TERN_FORMAT_HF_EXPORT_H

#include "engine/base/team.h"
#include "engine/format/gguf.h"

/* Makes the folder where it is not there. Fails, naming key or tensor, where
 * transformers has no class for the model or no place for a tensor. */
int tern_hf_export(const tern_gguf *in, const char *folder, tern_i2s order, tern_team *team, tern_error *e);

#endif
