/* Training data: records of text become documents, streams of tokens with a
 * weight for each; batches are documents packed into slices. What is in batch k
 * depends on the seed alone. */
#ifndef TERN_TRAIN_DATASET_H
#define TERN_TRAIN_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "engine/text/tokenizer.h"
#include "engine/train/config.h"

/* Document d is tokens[at[d]] .. tokens[at[d + 1] - 1]; weights[i] counts in the
 * loss of predicting token i (0 for a document's first). */
typedef struct tern_dataset {
  int32_t *tokens;
  float *weights;
  size_t *at;
  uint8_t *file; /* of each document */
  size_t documents, capacity, token_capacity;
  size_t cut; /* documents cut to the context */
  tern_train_files files;
  uint64_t fingerprint; /* of all tokens and weights */
} tern_dataset;

/* Reads the files: *.jsonl, an object a line, a record of a kind that
 * record.c lists; other files: a document a paragraph (blocks
 * between empty lines). Errors name file and line. */
int tern_dataset_read(tern_dataset *d, const tern_train_config *c, const tern_train_files *files,
                      const tern_tokenizer *t, tern_error *e);
void tern_dataset_close(tern_dataset *d);

/* Packed documents: position i sees those of its own document up to itself. */
typedef struct tern_train_slice {
  int tokens, documents;
  int32_t *ids, *targets; /* [capacity] */
  float *weights;         /* [capacity] of the targets, divided by the batch's sum */
  int *starts;            /* [documents + 1] */
} tern_train_slice;

typedef struct tern_train_batch {
  tern_train_slice *slices;
  int count, capacity; /* slices; tokens of the largest possible one */
  size_t tokens;
  double weight;  /* sum of weights before the division */
  size_t *chosen; /* documents of the batch */
  void *memory;
  size_t memory_bytes, chosen_capacity;
} tern_train_batch;

/* Where the stream of documents stands. */
typedef struct tern_cursor {
  uint64_t epoch, next;
} tern_cursor;

/* Documents of an epoch in their order, made anew when the epoch changes. */
typedef struct tern_epoch {
  size_t *order;
  size_t count, capacity;
  uint64_t epoch;
  bool ready;
} tern_epoch;

int tern_batch_open(tern_train_batch *b, int slices, int batch_tokens, int context, tern_error *e);
void tern_batch_close(tern_train_batch *b);
/* The next documents that fill batch_tokens, spread over the slices. */
int tern_batch_next(tern_train_batch *b, const tern_dataset *d, tern_epoch *order, tern_cursor *at, uint64_t seed,
                    int batch_tokens, tern_error *e);
/* Documents from `next` on, in their order, of one entry (file < 0: of all), as
 * many as fill the batch and one at least; returns where to go on. */
size_t tern_batch_plain(tern_train_batch *b, const tern_dataset *d, int file, size_t next, int batch_tokens);

#endif
