/* A contender on its seat: ours in a process that stays, an outside program
 * started for every run. Both are prepared and timed through one table. */
#ifndef TERN_HARNESS_ENTRANT_H
#define TERN_HARNESS_ENTRANT_H

#include "harness/energy_call.h"
#include "harness/worker.h"

typedef struct tern_entrant tern_entrant;

typedef struct tern_entrant_kind {
  int (*open)(tern_entrant *n, const tern_worker_spec *spec, tern_error *e);
  /* Whether it can be asked for this workload; why not otherwise. */
  bool (*can)(const tern_entrant *n, const tern_workload *load, char *why, size_t size);
  int (*prepare)(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, int pass, tern_error *e);
  int (*run)(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, tern_worker_result *out,
             tern_error *e);
  /* The result of one call, and its joules: of a window that repeats it. */
  int (*meter)(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, int pass,
               tern_energy_run *energy, tern_worker_result *out, tern_energy_share *share, tern_error *e);
  /* Process whose threads are watched; 0: none that lasts. */
  pid_t (*pid)(const tern_entrant *n);
  void (*end)(tern_entrant *n);
} tern_entrant_kind;

struct tern_entrant {
  const tern_entrant_kind *kind;
  const tern_contender *contender;
  bool open;
  tern_worker *worker; /* ours */
  tern_worker_facts facts;
  const char *model; /* outside: path for {model} */
  tern_peer_facts program;
  char reader[TERN_PEER_READER], version[TERN_PEER_VERSION]; /* of its last output */
};

extern const tern_entrant_kind tern_entrant_ours, tern_entrant_outside;

/* Starts it; n->open only then. `spec` is for ours. */
int tern_entrant_open(tern_entrant *n, const tern_contender *c, const tern_worker_spec *spec, tern_error *e);
void tern_entrant_end(tern_entrant *n); /* also of one that did not open */

#endif
