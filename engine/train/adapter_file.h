/* Adapters kept beside their base: a GGUF file with llama.cpp's names and keys
 * of LoRA adapters, and the fingerprint of the base. */
#ifndef TERN_TRAIN_ADAPTER_FILE_H
#define TERN_TRAIN_ADAPTER_FILE_H

#include "engine/format/gguf.h"
#include "engine/train/trainer.h"

int tern_adapters_write(tern_trainer *t, const char *path, tern_error *e);

/* Rank, alpha and targets of a file go into a configuration that has no adapters. */
int tern_adapters_describe(const tern_gguf *g, tern_train_config *c, tern_error *e);
/* Its matrices go into a net of that configuration, which must have the base they were made for. */
int tern_adapters_read(const tern_gguf *g, tern_net *n, tern_error *e);

#endif
