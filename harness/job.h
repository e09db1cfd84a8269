/* What `ternmark reproduce` was asked for. */
#ifndef TERN_HARNESS_JOB_H
#define TERN_HARNESS_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "baselines/runner.h"
#include "harness/workload.h"

enum { TERN_MOST_MODELS = 16, TERN_MOST_TEAMS = 16, TERN_MOST_ENGINES = 8 };

typedef struct tern_job {
  char *models[TERN_MOST_MODELS]; /* shape names */
  int model_count;
  const char *model_file; /* real weights instead of shapes; NULL: none */
  int teams[TERN_MOST_TEAMS];
  int team_count; /* 0: one thread and all cores */
  char *engines[TERN_MOST_ENGINES];
  int engine_count;
  const tern_preset *preset;
  int blocks;      /* 0: the preset's */
  double budget_s; /* < 0: the preset's; 0: none */
  const char *out; /* NULL: results/<UTC time> */
  const char *cache;
  const char *sysfs_root;
  uint64_t seed;
  tern_kv_type kv;
  const char *layout; /* NULL: the engine's choice */
  bool exact_head;
  tern_isa isa_cap;
  tern_i2s i2s;
  bool dry_run, json, csv, with_host;
  int argc; /* as typed, for the manifest */
  char **argv;
} tern_job;

const char *tern_kv_name(tern_kv_type kv); /* "f32", "f16", "int8" */

#endif
