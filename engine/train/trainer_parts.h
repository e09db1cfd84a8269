/* Shared by the files of the trainer only. */
#ifndef TERN_TRAIN_TRAINER_PARTS_H
#define TERN_TRAIN_TRAINER_PARTS_H

#include "engine/train/trainer.h"

/* Everything but weights, from config and vocabulary that are set. */
int tern_trainer_build(tern_trainer *t, int threads, tern_isa cap, bool data, tern_error *e);

/* Takes the weights of a checkpoint, or of a model file, of the same shape and vocabulary. */
int tern_trainer_start_from(tern_trainer *t, const char *path, tern_error *e);
int tern_trainer_start_from_checkpoint(tern_trainer *t, const char *path, tern_error *e);

#endif
