/* Where a call's time goes, operator by operator and thread by thread. A
 * member's time between two marks belongs to the operator that the second one
 * names, so a member's operators add up to the wall time of its chunks. It
 * costs a clock reading a mark while it is on (tens of ns, some hundred marks a
 * token), a test of a pointer while it is off, and never touches a value that
 * reaches a logit. */
#ifndef TERN_MODEL_PROFILE_H
#define TERN_MODEL_PROFILE_H

#include <stdint.h>

#include "engine/model/model.h"

typedef enum tern_operator {
  TERN_OP_START,    /* from the call until this member runs: waking up */
  TERN_OP_EMBED,    /* rows of the embedding */
  TERN_OP_NORM,     /* residual added, normed */
  TERN_OP_QUANTISE, /* activations to a matrix's input: int8, or copied */
  TERN_OP_QKV,
  TERN_OP_ROPE, /* angles, rotation, keys and values stored */
  TERN_OP_ATTENTION,
  TERN_OP_OUTPUT,
  TERN_OP_GATE_UP,
  TERN_OP_ACTIVATION,
  TERN_OP_DOWN,
  TERN_OP_HEAD,
  TERN_OP_ARGMAX,  /* of the logits; of an exact head its bounds too */
  TERN_OP_BARRIER, /* until the last member is there: imbalance and synchronisation */
  TERN_OP_END,     /* from this member's last work until the call is back */
  TERN_OP_METER,   /* the profile's own reading of counters */
  TERN_OPERATORS
} tern_operator;

const char *tern_operator_name(tern_operator op);

typedef struct tern_profile tern_profile;
typedef struct tern_profile_lane tern_profile_lane;

/* For teams of up to `members`. */
int tern_profile_open(tern_profile **out, int members, tern_error *e);
void tern_profile_close(tern_profile *p); /* NULL allowed */
void tern_profile_clear(tern_profile *p);

/* Values to be attributed beside the time, read at each mark on the member's
 * own thread; -1: absent. START and END have none. NULL: none. */
enum { TERN_PROFILE_VALUES = 24 };
typedef void (*tern_profile_reader)(void *arg, int member, int64_t *values);
void tern_profile_read_with(tern_profile *p, tern_profile_reader read, void *arg, int values);

/* Profiles the session's calls from now on; NULL: no longer. The session's
 * team must not be greater than the profile. */
void tern_session_profile(tern_session *s, tern_profile *p);

/* Of all calls since the last clear: members of the team, chunks run, tokens
 * fed, their wall time, and the sums of one member's operator. */
typedef struct tern_profile_sums {
  int members;
  int64_t chunks, tokens;
  double wall_s;
} tern_profile_sums;
tern_profile_sums tern_profile_total(const tern_profile *p);
typedef struct tern_profile_cell {
  int64_t calls, ns;
  int64_t values[TERN_PROFILE_VALUES]; /* -1: absent */
} tern_profile_cell;
const tern_profile_cell *tern_profile_of(const tern_profile *p, int member, tern_operator op);

/* Inside of the forward pass. Begin and finish on the caller, around a chunk. */
void tern_profile_begin(tern_profile *p, int members);
void tern_profile_finish(tern_profile *p, int tokens);
tern_profile_lane *tern_profile_lane_of(tern_profile *p, int member);
void tern_profile_mark(tern_profile_lane *lane, tern_operator op);

#endif
