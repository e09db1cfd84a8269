/* The configuration of a training run: one JSON file. Every key is checked; one
 * that is not known is refused with the nearest that is. */
#ifndef TERN_TRAIN_CONFIG_H
#define TERN_TRAIN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/text/chat_template.h"

enum {
  TERN_TRAIN_PATH = 512,
  TERN_TRAIN_FILES = 32,
  TERN_TRAIN_TASKS = 32,
  TERN_TRAIN_NAME = 64,
  TERN_TRAIN_TARGETS = 7
};

/* Matrices of a layer that may carry adapters, as GGUF names them. */
extern const char *const tern_train_targets[TERN_TRAIN_TARGETS];

/* What stands in a linear layer during the forward pass. */
typedef enum tern_train_weights {
  TERN_TRAIN_TERNARY, /* absmean codes and one scale, int8 activations; straight-through gradients */
  TERN_TRAIN_F16,     /* weights rounded to f16, as the twin's file holds them */
  TERN_TRAIN_F32
} tern_train_weights;

typedef struct tern_train_file {
  char path[TERN_TRAIN_PATH];
  double repeat;              /* how often an epoch passes over it; a fraction takes a part of the records */
  int first, last;            /* epochs, from 1, that it takes part in; last 0: all from the first on */
  char task[TERN_TRAIN_NAME]; /* only its records of this task; "": all */
} tern_train_file;

typedef struct tern_train_files {
  tern_train_file at[TERN_TRAIN_FILES];
  int count;
} tern_train_files;

typedef struct tern_train_task { /* a factor on the loss of a task's completions */
  char name[TERN_TRAIN_NAME];
  double weight;
} tern_train_task;

typedef struct tern_train_config {
  char name[TERN_TRAIN_NAME];
  char tokenizer[TERN_TRAIN_PATH];
  char from[TERN_TRAIN_PATH]; /* checkpoint whose weights training starts from; "": random ones */

  char arch[TERN_TRAIN_NAME]; /* bitnet-b1.58: squared ReLU; bitnet: SiLU */
  tern_train_weights weights;
  int layers, hidden, ffn, heads, kv_heads, context;
  double rope_theta;
  double init; /* standard deviation of a matrix times sqrt(columns) */

  char mini[TERN_TRAIN_PATH]; /* folder of the mini set, which the program writes when it is not there; "": none */
  int mini_items;
  int64_t mini_seed;
  tern_train_files train, eval;
  double prompt_weight;
  tern_train_task tasks[TERN_TRAIN_TASKS];
  int task_count;
  const tern_chat_template *chat; /* of records with messages: data.template, else the vocabulary file's; or NULL */

  int steps, batch_tokens, slices;
  int64_t seed;
  double lr, beta1, beta2, eps, clip, dropout;
  int warmup;          /* steps */
  double stage;        /* share of the steps that the first stage takes */
  double stage1_end;   /* learning rate at its end, as a share of lr */
  double stage2_start; /* and where the second begins, to end at 0 */
  double weight_decay; /* in the first stage only */
  int eval_every, checkpoint_every;
  int patience; /* evaluations without a better loss that end training; 0: none do */

  int lora_rank; /* of adapters; 0: all weights are trained */
  double lora_alpha;
  unsigned lora_targets; /* bit i: tern_train_targets[i] */

  char *text; /* the whole file, as JSON on one line, paths made absolute; malloc'ed */
} tern_train_config;

/* Paths in the file are relative to its folder. */
int tern_train_config_read(tern_train_config *c, const char *path, tern_error *e);
/* The same from text (a checkpoint's); `where` names it in errors. */
int tern_train_config_parse(tern_train_config *c, const char *text, const char *where, tern_error *e);
void tern_train_config_close(tern_train_config *c);

/* Learning rate and weight decay of a step, 0..steps-1. */
void tern_train_schedule(const tern_train_config *c, int step, double *rate, double *decay);

#endif
