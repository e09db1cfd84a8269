/* A line of training data as the pieces of text that a document is made of. */
#ifndef TERN_TRAIN_RECORD_H
#define TERN_TRAIN_RECORD_H

#include <jansson.h>

#include "engine/train/config.h"

typedef struct tern_train_piece { /* is tokenised by itself */
  const char *text;
  size_t size;
  bool answer;  /* what the model is to say; else what it is told */
  bool special; /* texts of special tokens are these tokens */
} tern_train_piece;

typedef struct tern_train_record {
  tern_train_piece *pieces;
  int count;
  double factor;    /* on the loss of all pieces */
  const char *task; /* "": none */
  char *text;       /* that the pieces are of, where the record had none so; or NULL */
} tern_train_record;

/* Kinds, by the keys that are there: "messages"; "instruction", "output" and
 * optionally "input"; "completion" and optionally "prompt". All: "task",
 * "weight". `json` outlives the record; close it after a failure, too. */
int tern_train_record_read(tern_train_record *r, json_t *json, const tern_train_config *c, tern_error *e);
void tern_train_record_close(tern_train_record *r);

#endif
