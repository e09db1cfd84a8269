/* Runners: every engine behind one interface, so that ours and rivals are
 * measured by the same code. Engine names: "ternary", "f16", "bf16", "f32",
 * "int8" (f16 head on all), "int8-q8head". */
#ifndef TERN_BASELINES_RUNNER_H
#define TERN_BASELINES_RUNNER_H

#include "engine/model/model.h"
#include "engine/model/profile.h"

typedef struct tern_runner tern_runner;

typedef struct tern_runner_spec {
  const char *engine;
  const char *model_path; /* GGUF */
  int threads;
  const int *cpus; /* [threads] to bind to, or NULL */
  int context;
  int batch; /* most tokens that prefill is asked to feed at once; <= 0: the engine's choice */
  tern_kv_type kv;
  const char *ternary_layout; /* "t2", "t5", ...: of the ternary engine; NULL: the tuned one, else the usual */
  const tern_tuning *tuning;  /* the caller's until the end; NULL: none */
  bool exact_head;
  tern_isa isa_cap;
  tern_i2s i2s;
  bool progress;
} tern_runner_spec;

typedef struct tern_runner_facts {
  char kernel[64]; /* body kernel, "+exact head" when used */
  char head[32];
  tern_model_facts model;
  size_t kv_bytes;
  size_t body_bytes_a_token; /* bytes read a decoded token: body + head (or scan) + norms */
} tern_runner_facts;

/* NULL-terminated list of engine names with a line each. */
typedef struct tern_engine_info {
  const char *name, *what;
} tern_engine_info;
const tern_engine_info *tern_engines(void);
const tern_engine_info *tern_engine_find(const char *name);

int tern_runner_open(tern_runner **out, const tern_runner_spec *spec, tern_error *e);
void tern_runner_close(tern_runner *r);
const tern_runner_facts *tern_runner_describe(const tern_runner *r);
/* Another team size on the loaded weights; starts at position 0. After a failure
 * the runner can only be closed. */
int tern_runner_threads(tern_runner *r, int threads, const int *cpus, tern_error *e);
/* The team of now, for meters; tern_runner_threads closes it. */
tern_team *tern_runner_team(const tern_runner *r);
/* Back to an earlier position, whose KV cache stands; costs nothing. */
void tern_runner_rewind(tern_runner *r, int position);
/* Feeds ids, `batch` at once (<= 0: the engine's choice), and makes the first
 * greedy choice. */
int tern_runner_prefill(tern_runner *r, const int32_t *ids, int n, int batch, tern_error *e);
/* Feeds ids one at a time; each step computes the full logits (or exact head)
 * and the greedy choice, which is discarded: all engines see the same ids.
 * token_s (may be NULL): seconds of each. */
int tern_runner_decode(tern_runner *r, const int32_t *ids, int n, double *token_s, tern_error *e);
/* Profiles calls from now on, also those of later teams, for which the profile
 * must have room; NULL: no longer. */
void tern_runner_profile(tern_runner *r, tern_profile *p);
/* Memory the engine would need, without loading. */
int tern_runner_plan(const tern_runner_spec *spec, size_t *bytes, tern_error *e);

#endif
