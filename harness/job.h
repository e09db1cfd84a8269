/* What `ternmark reproduce` or `ternmark bench` was asked for. */
#ifndef TERN_HARNESS_JOB_H
#define TERN_HARNESS_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/contender.h"
#include "harness/workload.h"

enum { TERN_MOST_MODELS = 16, TERN_JOB_TEAMS = 32, TERN_JOB_METERS = 8 };

typedef struct tern_model_ask {
  const char *text; /* shape name, or a GGUF's path */
  bool file;
} tern_model_ask;

/* When a model's blocks end. */
typedef struct tern_job_rule {
  double precision; /* half width wanted of every ratio; 0: not asked for */
  int blocks;       /* most */
  double budget_s;  /* of the whole run; 0: none */
} tern_job_rule;

typedef struct tern_job {
  const char *command; /* "reproduce", "bench" */
  const char *preset;  /* "quick", "default", "full"; "bench": lists of one's own */
  tern_model_ask models[TERN_MOST_MODELS];
  int model_count;
  tern_contender_ask sides;
  tern_contender_list contenders;
  tern_numbers threads;         /* 0 in the list: all cores */
  tern_words placements;        /* empty: "cores" */
  char cpus[32];                /* "cpus:0-3" of --cpus */
  tern_workload_ask ask;        /* bench */
  tern_workload_list workloads; /* those that all models share */
  const char *prompts_file;     /* NULL: none */
  tern_job_rule rule;
  const char *out; /* NULL: results/<UTC time> */
  const char *cache;
  const char *sysfs_root;
  const char *meters[TERN_JOB_METERS];
  int meter_count;
  const char *energy_rules; /* NULL, or "mlperf" */
  double grid_co2;          /* g a kWh; 0: not given */
  uint64_t seed;
  tern_i2s i2s;
  const char *resume;     /* folder of an interrupted run; NULL: a new one */
  char *resume_path;      /* owns it */
  tern_tuning *tuning;    /* of this CPU, owned; NULL: none */
  const char *tune_cache; /* file; NULL: the usual one */
  bool dry_run, with_host, profile, no_tune;
  int argc; /* as typed, for the manifest */
  char **argv;
  char **words; /* of a resumed run, cut by the parser; NULL otherwise */
} tern_job;

#endif
