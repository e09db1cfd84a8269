/* Data and models of the manifest into a data folder: resumable, verified by
 * size and SHA-256, in place at once or not at all, one process at a time per
 * file. A file whose hash was never verified is held to the one seen first: kept
 * in DATA/held.json, where a later change is an error. */
#ifndef TERN_EVAL_FETCH_H
#define TERN_EVAL_FETCH_H

#include <stdbool.h>

#include "harness/eval/catalog.h"
#include "harness/eval/digest.h"

typedef struct tern_fetch_options {
  const char *root; /* tern_data_root */
  const char *from; /* a folder that has files of the manifest's layout, or their downloads; NULL: the network */
  bool progress;    /* bar on stderr, where that is a terminal */
  bool check;       /* hash files that are there, even when they look untouched since they were last hashed */
  int stall_s, tries;
  double pause_s;
} tern_fetch_options;
#define TERN_FETCH_USUAL                                                                                               \
  { .progress = true, .stall_s = 60, .tries = 5, .pause_s = 1 }

typedef enum tern_fetch_state {
  TERN_FETCH_THERE,   /* was there, and right */
  TERN_FETCH_FETCHED, /* came from its address */
  TERN_FETCH_TAKEN,   /* came out of the folder `from` */
  TERN_FETCH_MISSING, /* `from`, or any address, has no such file, and that may be */
} tern_fetch_state;

/* One file that is done. */
typedef struct tern_fetched {
  const tern_catalog_entry *entry;
  const char *file;
  tern_fetch_state state;
  char sha256[TERN_SHA256_ROOM]; /* of the content */
  long long size, rows;
  bool verified;  /* by the manifest; false: held from its first use */
  bool first_use; /* just now */
} tern_fetched;
typedef void (*tern_fetch_told)(void *state, const tern_fetched *f);

/* Nothing to do for files that are there and right. `told` hears of each file. */
int tern_fetch(const tern_catalog_entry *t, const tern_fetch_options *o, tern_fetch_told told, void *state,
               tern_error *e);

#endif
