/* Inside of the measuring loop: one model's session, and what its files do. */
#ifndef TERN_HARNESS_MEASURE_PARTS_H
#define TERN_HARNESS_MEASURE_PARTS_H

#include "engine/base/progress.h"
#include "harness/bandwidth_child.h"
#include "harness/entrant.h"
#include "harness/measure.h"
#include "harness/steady.h"
#include "harness/times.h"

typedef struct tern_cell {
  bool possible;
  bool steady;    /* has been, in the warm-up */
  int warm_count; /* repetitions of the warm-up */
  double warm[64];
  double cost; /* seconds that one repetition took or will take, all told */
} tern_cell;

typedef struct tern_probe {
  char placement[TERN_PLACEMENT_NAME];
  tern_bandwidth_child *child; /* NULL: given up */
} tern_probe;

typedef struct tern_bench_session {
  tern_measure *m;
  const tern_source *source;
  const tern_workload_list *loads;
  tern_entrant seats[TERN_MOST_CONTENDERS];
  tern_worker_spec specs[TERN_MOST_CONTENDERS]; /* how to open them again */
  int count;
  double open_s;            /* that opening all engines took last */
  int renewed_at, renewals; /* block of the last time, and how often */
  bool team_out[TERN_JOB_TEAMS];
  tern_probe probes[TERN_JOB_TEAMS];
  int probe_count;
  tern_cell *cells; /* [team][workload][contender] */
  tern_times times;
  tern_progress progress;
  double done; /* seconds of the plan, for the progress bar */

  char profile[4096]; /* path of profile.csv */

  int warm_blocks, warm_attempt;
  const char *warm_end; /* "steady", "blocks", "time" */
  int block;            /* to be taken next */
  int attempt;          /* of that block */
  int repeated;         /* blocks taken again */
  int taken;            /* in this process, and their seconds */
  double taken_s;
} tern_bench_session;

int tern_cell_index(const tern_bench_session *s, int team, int load, int seat);
int tern_cell_count(const tern_bench_session *s);
/* Contenders that still run. */
int tern_seats_open(const tern_bench_session *s);
/* Seconds that a block will take. */
double tern_block_cost(const tern_bench_session *s);
/* Leaves the contender out, the run goes on; an interrupt ends it instead. */
int tern_seat_dismiss(tern_bench_session *s, tern_entrant *seat, const tern_error *why, tern_error *e);

enum { TERN_WARM_BLOCK = -1 };

/* One repetition of every cell. *marks: what disturbed any of them. In the
 * warm-up (block TERN_WARM_BLOCK) an outside engine runs in the first one only
 * and nothing is metered. */
int tern_block_run(tern_bench_session *s, int block, int attempt, unsigned *marks, tern_error *e);
/* Whether our engines are to get new processes before the next block, and the
 * exchange, in an order drawn anew. */
bool tern_seats_due(const tern_bench_session *s);
int tern_seats_renew(tern_bench_session *s, tern_error *e);
/* Takes teams out whose CPUs or quota have gone. */
int tern_teams_review(tern_bench_session *s, tern_error *e);

int tern_warm_up(tern_bench_session *s, tern_error *e);
/* What an interrupted run has left of this model: blocks, times, attempts.
 * True when it was complete. */
bool tern_session_restore(tern_bench_session *s, tern_error *e);
/* Operators of every cell, once the blocks are done. */
int tern_profiles_take(tern_bench_session *s, tern_error *e);
/* Whether to stop now. */
tern_stop tern_session_stop(const tern_bench_session *s);
/* The manifest's entry, and warnings on what wandered. */
void tern_session_close_books(tern_bench_session *s, tern_stop why);

#endif
