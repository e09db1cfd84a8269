/* Accumulators of a profile: one lane a member, on cache lines of its own,
 * written by that member alone while a chunk runs. */
#include "engine/model/profile.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct tern_profile_lane {
  _Alignas(64) tern_profile *profile;
  int member;
  int64_t last_ns; /* of the last mark */
  int64_t last[TERN_PROFILE_VALUES];
  tern_profile_cell cells[TERN_OPERATORS];
};

struct tern_profile {
  int room;
  tern_profile_sums sums;
  int64_t wall_ns, begin_ns;
  tern_profile_reader read;
  void *arg;
  int values;
  tern_profile_lane *lanes;
};

static const char *const names[TERN_OPERATORS] = {[TERN_OP_START] = "start",
                                                  [TERN_OP_EMBED] = "embed",
                                                  [TERN_OP_NORM] = "norm",
                                                  [TERN_OP_QUANTISE] = "quantise",
                                                  [TERN_OP_QKV] = "qkv",
                                                  [TERN_OP_ROPE] = "rope",
                                                  [TERN_OP_ATTENTION] = "attention",
                                                  [TERN_OP_OUTPUT] = "output",
                                                  [TERN_OP_GATE_UP] = "gate_up",
                                                  [TERN_OP_ACTIVATION] = "activation",
                                                  [TERN_OP_DOWN] = "down",
                                                  [TERN_OP_HEAD] = "head",
                                                  [TERN_OP_ARGMAX] = "argmax",
                                                  [TERN_OP_BARRIER] = "barrier",
                                                  [TERN_OP_END] = "end",
                                                  [TERN_OP_METER] = "meter"};

const char *tern_operator_name(tern_operator op) {
  return names[op];
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int tern_profile_open(tern_profile **out, int members, tern_error *e) {
  *out = NULL;
  tern_profile *p = calloc(1, sizeof *p);
  size_t bytes = (size_t)members * sizeof(tern_profile_lane);
  if (p) p->lanes = aligned_alloc(_Alignof(tern_profile_lane), bytes);
  if (!p || !p->lanes) {
    free(p);
    return tern_fail(e, TERN_FAILED, "profile: out of memory");
  }
  memset(p->lanes, 0, bytes);
  p->room = members;
  for (int i = 0; i < members; i++) {
    p->lanes[i].profile = p;
    p->lanes[i].member = i;
  }
  *out = p;
  return 0;
}

void tern_profile_close(tern_profile *p) {
  if (!p) return;
  free(p->lanes);
  free(p);
}

void tern_profile_clear(tern_profile *p) {
  p->sums = (tern_profile_sums){0};
  p->wall_ns = 0;
  for (int i = 0; i < p->room; i++) memset(p->lanes[i].cells, 0, sizeof p->lanes[i].cells);
}

void tern_profile_read_with(tern_profile *p, tern_profile_reader read, void *arg, int values) {
  p->read = read;
  p->arg = arg;
  p->values = read ? values : 0;
}

tern_profile_sums tern_profile_total(const tern_profile *p) {
  tern_profile_sums s = p->sums;
  s.wall_s = 1e-9 * (double)p->wall_ns;
  return s;
}

const tern_profile_cell *tern_profile_of(const tern_profile *p, int member, tern_operator op) {
  return &p->lanes[member].cells[op];
}

void tern_profile_begin(tern_profile *p, int members) {
  p->sums.members = members;
  p->begin_ns = now_ns();
  for (int i = 0; i < members; i++) p->lanes[i].last_ns = p->begin_ns;
}

static void add_time(tern_profile_lane *l, tern_operator op, int64_t now) {
  l->cells[op].calls++;
  l->cells[op].ns += now - l->last_ns;
  l->last_ns = now;
}

void tern_profile_finish(tern_profile *p, int tokens) {
  int64_t end = now_ns();
  p->wall_ns += end - p->begin_ns;
  p->sums.chunks++;
  p->sums.tokens += tokens;
  for (int i = 0; i < p->sums.members; i++) add_time(&p->lanes[i], TERN_OP_END, end);
}

tern_profile_lane *tern_profile_lane_of(tern_profile *p, int member) {
  return &p->lanes[member];
}

static void add_values(tern_profile_lane *l, tern_operator op) {
  const tern_profile *p = l->profile;
  int64_t now[TERN_PROFILE_VALUES], *sums = l->cells[op].values;
  p->read(p->arg, l->member, now);
  for (int i = 0; i < p->values; i++) {
    if (op == TERN_OP_START || now[i] < 0 || l->last[i] < 0)
      sums[i] = -1;
    else if (sums[i] >= 0)
      sums[i] += now[i] - l->last[i];
    l->last[i] = now[i];
  }
  add_time(l, TERN_OP_METER, now_ns());
}

void tern_profile_mark(tern_profile_lane *lane, tern_operator op) {
  add_time(lane, op, now_ns());
  if (lane->profile->read) add_values(lane, op);
}
