/* DATA/held.json: what files of the data folder were when they came, so that
 * one without a known hash can't change unseen, and one that lies untouched is
 * not hashed again. */
#ifndef TERN_EVAL_FETCH_HELD_H
#define TERN_EVAL_FETCH_HELD_H

#include <stdbool.h>

#include "harness/eval/digest.h"

typedef struct tern_held {
  char sha256[TERN_SHA256_ROOM]; /* of the content; "" when the file is not held */
  long long size;                /* of the content */
  long long bytes, mtime_ns;     /* of the file, when it was hashed */
} tern_held;

int tern_held_get(tern_held *out, const char *root, const char *file, tern_error *e);
/* Takes bytes and time from the file itself. */
int tern_held_put(const char *root, const char *file, const tern_digest *d, const char *address, tern_error *e);
/* Bytes and time of the file; false: it is not there. */
bool tern_held_look(tern_held *out, const char *root, const char *file);

/* Locks ROOT/.fetch/NAME.lock, waiting (with a line on stderr) while another
 * process has it; -1: failed. Close the descriptor to let go. */
int tern_held_lock(const char *root, const char *name, tern_error *e);

#endif
