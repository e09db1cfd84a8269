/* A folder with a small training set, a vocabulary of it and configurations. */
#ifndef TERN_TESTS_TRAIN_FIXTURE_H
#define TERN_TESTS_TRAIN_FIXTURE_H

#include "engine/train/trainer.h"
#include "tests/own_folder.h"

/* What a configuration changes of the usual: members of JSON objects with a
 * comma in front, or NULL. */
typedef struct fixture_change {
  const char *top, *model, *data, *train;
  const char *batch, *shape, *files; /* in place of the usual ones; shape: layers to context */
} fixture_change;

/* train.jsonl (sums), held.jsonl, tokenizer.gguf. Ends the test program on failure. */
folder fixture_open(void);
/* Writes a configuration of that name: 2 layers of 64 (4 heads, 2 KV) x 128,
 * context 64, 12 steps of 256 tokens in 3 slices. */
void fixture_config(folder *f, const char *name, const fixture_change *c);
void fixture_text(folder *f, const char *name, const char *text);
/* Opens a trainer for a configuration in the folder. */
void fixture_trainer(tern_trainer *t, folder *f, const char *name, int threads, tern_isa cap);
/* Whole file; free(). */
char *fixture_read(folder *f, const char *name, size_t *size);
void fixture_close(folder *f); /* with the folders in it */

#endif
