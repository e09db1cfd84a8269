/* Teams through harness/placement.h. */
#include "harness/teams.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(tern_teams *t, int threads, const char *policy, const char *why) {
  if (t->refused_count == TERN_JOB_TEAMS) return;
  int i = t->refused_count++;
  snprintf(t->refused[i].team, sizeof t->refused[i].team, "%d threads, %.31s", threads, policy);
  snprintf(t->refused[i].why, sizeof t->refused[i].why, "%.255s", why);
}

static bool listed(const tern_teams *t, const tern_team_spec *team) {
  for (int i = 0; i < t->count; i++)
    if (t->items[i].threads == team->threads && strcmp(t->items[i].placement, team->placement) == 0) return true;
  return false;
}

/* threads 0: all that the policy has, with "cores" one a core. */
static int add(tern_teams *t, const tern_placement *p, const tern_machine *m, const char *policy, int threads,
               tern_error *e) {
  tern_error own = {0};
  int room = tern_placement_room(p, policy, &own), cores = tern_machine_cores(m);
  if (room == 0) {
    *e = own;
    return (int)e->status;
  }
  if (threads == 0) threads = strcmp(policy, "cores") == 0 && cores < room ? cores : room;
  if (t->count == TERN_JOB_TEAMS) return tern_fail(e, TERN_USAGE, "more than %d teams", TERN_JOB_TEAMS);
  tern_team_spec *team = &t->items[t->count];
  *team = (tern_team_spec){.threads = threads, .bound = tern_placement_binds(p)};
  snprintf(team->placement, sizeof team->placement, "%s", policy);
  if (threads > TERN_MOST_CPUS || listed(t, team)) return 0;
  if (tern_placement_cpus(p, policy, threads, team->cpus, &own))
    refuse(t, threads, policy, own.text);
  else
    t->count++;
  return 0;
}

static int rising(const void *a, const void *b) {
  return ((const tern_team_spec *)a)->threads - ((const tern_team_spec *)b)->threads;
}

int tern_teams_choose(tern_teams *out, const tern_job *job, const tern_machine *m, tern_error *e) {
  static const tern_words usual = {{"cores"}, 1};
  static const tern_numbers one_and_all = {{1, 0}, 2}, all = {{0}, 1};
  const tern_words *policies = job->placements.count ? &job->placements : &usual;
  const tern_numbers *threads = job->threads.count ? &job->threads : job->cpus[0] ? &all : &one_and_all;
  tern_placement *p;
  out->count = out->refused_count = 0;
  if (tern_placement_open(&p, e)) return (int)e->status;
  for (int i = 0; i < policies->count && !e->status; i++)
    for (int j = 0; j < threads->count && !e->status; j++) add(out, p, m, policies->items[i], threads->items[j], e);
  tern_placement_close(p);
  if (e->status) return (int)e->status;
  if (out->count == 0)
    return tern_fail(e, TERN_FAILED, "no team can run: %s: %s", out->refused[0].team, out->refused[0].why);
  qsort(out->items, (size_t)out->count, sizeof *out->items, rising);
  return 0;
}

bool tern_team_allowed(const tern_team_spec *t, double quota, char *why, size_t size) {
  cpu_set_t set;
  if (quota > 0 && t->threads > 1 && t->threads > quota + 0.5) {
    snprintf(why, size, "the control group now allows %.2f CPUs for %d threads", quota, t->threads);
    return false;
  }
  if (!t->bound || sched_getaffinity(0, sizeof set, &set) != 0) return true;
  for (int i = 0; i < t->threads; i++) {
    if (t->cpus[i] < 0 || t->cpus[i] >= CPU_SETSIZE || CPU_ISSET((size_t)t->cpus[i], &set)) continue;
    snprintf(why, size, "CPU %d is no longer this process's", t->cpus[i]);
    return false;
  }
  return true;
}
