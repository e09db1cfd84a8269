/* One side of a comparison: an engine of ours with its options, or an outside
 * program. */
#ifndef TERN_HARNESS_CONTENDER_H
#define TERN_HARNESS_CONTENDER_H

#include <stdbool.h>

#include "baselines/runner.h"
#include "harness/peer.h"

enum { TERN_CONTENDER_NAME = 64 };

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

#endif
