/* A team of threads for fork-join work. The caller is member 0. Members spin
 * briefly between jobs, then sleep; a parked team uses no CPU. */
#ifndef TERN_BASE_TEAM_H
#define TERN_BASE_TEAM_H

#include "engine/base/error.h"

typedef struct tern_team tern_team;

/* `cpus` [size] are OS CPU numbers to bind members to, or NULL to leave them. */
int tern_team_open(tern_team **out, int size, const int *cpus, tern_error *e);
void tern_team_close(tern_team *t);
int tern_team_size(const tern_team *t);

/* Runs job(arg, member, size) on every member, returns when all are done. */
void tern_team_run(tern_team *t, void (*job)(void *arg, int member, int size), void *arg);

/* Inside a job: waits until every member has come here (a spin barrier). */
void tern_team_barrier(tern_team *t);

/* Splits count items in units of `unit` evenly; member's range is [*lo, *hi). */
void tern_split(int count, int unit, int member, int size, int *lo, int *hi);

#endif
