/* The claims of published/claims.csv judged against one result folder: what is
 * printed, what we measured, what outside engines measured, and the verdict. */
#ifndef TERN_REPORTS_CLAIMS_H
#define TERN_REPORTS_CLAIMS_H

#include "reports/csv_read.h"
#include "reports/results.h"
#include "reports/verdict.h"

/* Columns of claims.csv as texts, then the judgement. */
typedef struct tern_claim {
  const char *id, *source, *text, *platform, *metric, *subject, *low, *high, *unit, *needs, *how_published;
  const char *ours_key;  /* engine or ratio of ours ("ternary/f16"), "model:..." for a formula, or "" */
  const char *peers_key; /* engine or ratio of outside engines ("peer:bitnet.cpp/peer:llama.cpp:f16"), or "" */
  const char *note;

  tern_range range;
  tern_figure ours, peers;
  char ours_how[192], peers_how[192]; /* how obtained; of the empty peers column: why it is empty */
  tern_verdict verdict;
  char reason[256];        /* of the verdict; may be empty */
  const char *provisional; /* why our baseline is known slower than the best peer; NULL: it is not */
} tern_claim;

typedef struct tern_claims {
  tern_table *table;
  tern_claim *items;
  int count;
} tern_claims;

/* The claims as published, not judged. */
int tern_claims_read(tern_claims *out, tern_error *e);
void tern_claims_free(tern_claims *c);
/* Fills in the judgement from a result folder. */
void tern_claims_judge(tern_claims *c, const tern_results *r);
/* Writes DIR/claims.csv. */
int tern_claims_write(const tern_claims *c, const char *dir, tern_error *e);

/* Whether an engine's name is the pattern's or one below it: "peer:llama.cpp"
 * has "peer:llama.cpp:f16"; ratios are compared part by part. */
bool tern_engine_matches(const char *engine, const char *pattern);

#endif
