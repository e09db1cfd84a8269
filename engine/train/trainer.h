/* A training run: model, data, optimiser state, and where it stands. */
#ifndef TERN_TRAIN_TRAINER_H
#define TERN_TRAIN_TRAINER_H

#include "engine/base/team.h"
#include "engine/train/config.h"
#include "engine/train/dataset.h"
#include "engine/train/model.h"

typedef struct tern_train_block { /* floats of one parameter that a member updates at once */
  size_t at;
  int size;
  bool decays;
} tern_train_block;

/* What evaluations said so far. */
typedef struct tern_train_watch {
  double base, best;         /* loss before training (NAN: not evaluated), lowest loss since (INFINITY: none) */
  uint64_t best_step, waits; /* evaluations since the best */
} tern_train_watch;

typedef struct tern_trainer {
  tern_train_config config;
  char *vocabulary; /* the tokenizer's file, malloc'ed */
  size_t vocabulary_size;
  tern_tokenizer *tokenizer;
  tern_net net;
  float *m, *v;   /* moments, arenas like net.w */
  float **grads;  /* [slices] */
  double *losses; /* [slices] of the last step */
  tern_train_block *blocks;
  double *squares; /* [blocks] of the last gradient */
  int block_count;
  tern_dataset data, held; /* training; evaluation */
  tern_train_batch batch;
  tern_epoch order;
  tern_cursor cursor;
  int step; /* steps done */
  tern_train_watch watch;
  tern_team *team;
  tern_desk **desks; /* [team] */
  void *memory;      /* of moments and gradients */
  size_t memory_bytes;
} tern_trainer;

/* What one step was. */
typedef struct tern_train_step {
  double loss, norm; /* weighted mean cross entropy; of the gradient before clipping */
  double rate;       /* learning rate */
  size_t tokens;
} tern_train_step;

/* Opens everything for a configuration, at step 0 with random weights. */
int tern_trainer_open(tern_trainer *t, const tern_train_config *c, int threads, tern_isa cap, tern_error *e);
/* The same from a checkpoint, with its step, weights and moments. `data`: read the training data too. */
int tern_trainer_load(tern_trainer *t, const char *checkpoint, int threads, tern_isa cap, bool data, tern_error *e);
/* A checkpoint without adapters with those of a file (adapter_file.h) beside; no data. */
int tern_trainer_load_adapted(tern_trainer *t, const char *checkpoint, const char *adapters, int threads, tern_isa cap,
                              tern_error *e);
void tern_trainer_close(tern_trainer *t);

/* One step. Fails, leaving all weights as they were, when the loss is not a
 * finite number; the error names step and tensor. */
int tern_trainer_step(tern_trainer *t, tern_train_step *out, tern_error *e);

/* Loss over documents without learning: sums over tokens. */
typedef struct tern_train_score {
  double loss, weight;        /* weighted sum of entropies, and of weights */
  double entropy;             /* over tokens of a weight of at least 1 (completions) */
  size_t tokens, completions; /* tokens with any weight, and those */
} tern_train_score;
/* Of one file of the set; file < 0: of all. */
int tern_trainer_score(tern_trainer *t, const tern_dataset *d, int file, tern_train_score *out, tern_error *e);

/* Writes a checkpoint (whole or not at all). */
int tern_checkpoint_write(const tern_trainer *t, const char *path, tern_error *e);

#endif
