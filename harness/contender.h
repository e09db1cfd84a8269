/* One side of a comparison: an engine of ours with its options, or an outside
 * program. */
#ifndef TERN_HARNESS_CONTENDER_H
#define TERN_HARNESS_CONTENDER_H

#include <stdbool.h>

#include "baselines/runner.h"
#include "harness/peer.h"

enum { TERN_CONTENDER_NAME = 64, TERN_MOST_CONTENDERS = 32, TERN_MOST_WORDS = 16 };

typedef struct tern_contender {
  /* Engine column: "ternary", "ternary:t5", "f16:avx2", "peer:llama.cpp:f16". */
  char name[TERN_CONTENDER_NAME];
  const tern_peer_spec *peer; /* NULL: an engine of ours, which the rest tells */
  const char *engine;
  const char *layout; /* of ternary weights; NULL: the engine's choice */
  tern_isa isa_cap;
  tern_kv_type kv;
  bool exact_head;
  double slowdown; /* injected, as a share of the call's time; 0: none */
} tern_contender;

typedef struct tern_words {
  const char *items[TERN_MOST_WORDS];
  int count;
} tern_words;

/* What the list of contenders is made from; words live with the caller. */
typedef struct tern_contender_ask {
  tern_words engines, layouts, isas, kvs, heads; /* checked names; an empty list is the default */
  tern_peer_spec peers[TERN_MOST_PEERS];
  int peer_count;
  bool only_peers; /* no engine of ours */
  bool null;       /* the first contender twice */
  double inject;   /* the first and a copy slowed by this share; 0: no */
} tern_contender_ask;

typedef struct tern_contender_list {
  tern_contender items[TERN_MOST_CONTENDERS];
  int count;
} tern_contender_list;

/* Every engine with each of its options, then the outside programs; the first
 * one is the reference of all ratios. A name carries an option where the list
 * holds several values of it. TERN_USAGE when there are too many. */
int tern_contenders_make(tern_contender_list *out, const tern_contender_ask *ask, tern_error *e);

int tern_kv_parse(const char *name); /* -1: not known */

#endif
