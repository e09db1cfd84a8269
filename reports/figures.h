/* Which figures of a run answer a claim, and what keeps a claim from being
 * tested. */
#ifndef TERN_REPORTS_FIGURES_H
#define TERN_REPORTS_FIGURES_H

#include "reports/claims.h"

/* Fills ours and peers with how each was obtained. */
void tern_claim_figures(tern_claim *c, const tern_results *r);

/* Whether everything in the claim's `needs` is there; else the first thing
 * that is not, in words. */
bool tern_claim_testable(const tern_claim *c, const tern_results *r, char *unmet, size_t size);

/* The row of summary.csv that stands for a metric of an engine (or pattern) on
 * one model: decoding after a short context with the most threads; the better
 * one of several outside engines. -1: none. `model` NULL: any. */
int tern_results_representative(const tern_results *r, const char *metric, const char *engine, const char *model);

#endif
