/* Shared by the files of the trainer only. */
#ifndef TERN_TRAIN_TRAINER_PARTS_H
#define TERN_TRAIN_TRAINER_PARTS_H

#include "engine/train/trainer.h"

/* Everything but weights, from config and vocabulary that are set. */
int tern_trainer_build(tern_trainer *t, int threads, tern_isa cap, bool data, tern_error *e);

#endif
