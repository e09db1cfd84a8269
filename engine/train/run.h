/* A whole run: steps with progress, a log as CSV, evaluation, checkpoints. */
#ifndef TERN_TRAIN_RUN_H
#define TERN_TRAIN_RUN_H

#include <stdio.h>

#include "engine/train/trainer.h"

#define TERN_TRAIN_CHECKPOINT "checkpoint.tern" /* names in the run's folder */
#define TERN_TRAIN_BEST "best.tern"             /* with train.patience: where the evaluation was best */
#define TERN_TRAIN_LOG "log.csv"

typedef struct tern_run_params {
  const char *config, *folder;
  bool resume;
  int stop; /* steps after which to end this time; 0: all */
  int threads;
  tern_isa cap;
  FILE *notes; /* a line at every evaluation and checkpoint; NULL: none */
} tern_run_params;

typedef struct tern_run_result {
  int first, steps;            /* steps before this run, and now */
  double seconds;              /* in steps, without evaluation and writing */
  double tokens, flops;        /* of this run */
  double loss, held;           /* of the last steps (mean of up to 50), and of the evaluation; NAN: none */
  tern_train_watch watch;      /* evaluations: before training, best */
  bool finished;               /* all steps are done, or stopped */
  bool stopped;                /* early: no evaluation of the last train.patience was better */
  size_t documents, cut;       /* of the training data */
  size_t parameters, matrices; /* weights, and those in linear layers */
  size_t adapters;             /* weights of adapters, which then are all that is trained; 0: none */
} tern_run_result;

int tern_train_run(const tern_run_params *p, tern_run_result *r, tern_error *e);

#endif
