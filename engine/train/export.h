/* A trained model as a GGUF file with the tensor names of the bitnet
 * architectures. The values are those of the training forward pass. */
#ifndef TERN_TRAIN_EXPORT_H
#define TERN_TRAIN_EXPORT_H

#include "engine/format/dtype.h"
#include "engine/train/trainer.h"

/* type: of the linear layers (NULL: I2_S, or F16 for a model that is not
 * ternary); head: of the embedding (NULL: F16). Adapters are merged: for ternary
 * types by tern_train_merge (call it before to learn what that lost), which
 * changes the weights; for others in floats. */
int tern_train_export(tern_trainer *t, const char *path, const tern_dtype *type, const tern_dtype *head, tern_error *e);

#endif
