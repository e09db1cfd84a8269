/* The splits of the mini set, a row each. */
#ifndef TERN_MINI_SPLITS_H
#define TERN_MINI_SPLITS_H

#include "engine/train/mini/record.h"

typedef struct mini_split {
  const char *task, *name;
  mini_maker *make;
  unsigned what;
  int share; /* training: of 1000 records; tests: how many records */
} mini_split;

/* Each list ends with a task of NULL. */
extern const mini_split mini_train_splits[], mini_test_splits[], mini_tune_splits[];

#endif
