/* The report's sections, each appended to a document from a run's results. */
#ifndef TERN_REPORTS_SECTIONS_H
#define TERN_REPORTS_SECTIONS_H

#include "reports/claims.h"
#include "reports/doc.h"
#include "reports/results.h"

void tern_section_headline(tern_doc *d, const tern_results *r, const tern_claims *claims);
void tern_section_claims(tern_doc *d, const tern_claims *claims);
void tern_section_untested(tern_doc *d, const tern_claims *claims);
/* All engines in one table a team, and what the outside ones are. */
void tern_section_engines(tern_doc *d, const tern_results *r);
void tern_section_speed(tern_doc *d, const tern_results *r, const tern_claims *claims);
void tern_section_memory(tern_doc *d, const tern_results *r);
void tern_section_energy(tern_doc *d, const tern_results *r);
void tern_section_counters(tern_doc *d, const tern_results *r);
/* Where the time goes, when the folder has a profile.csv. */
int tern_section_profile(tern_doc *d, const tern_results *r, tern_error *e);
/* Published tables beside the run's figures; and which rows belong to a claim. */
int tern_section_published(tern_doc *d, const tern_results *r, tern_error *e);
/* Accuracy: published columns beside evals, when the folder has an evals.csv. */
int tern_section_evals(tern_doc *d, const tern_results *r, tern_error *e);
/* What the published figures say when they are computed with. */
int tern_section_findings(tern_doc *d, tern_error *e);
/* Warm-up, stop, interference, what was left out: a part of the run's section. */
void tern_section_course(tern_doc *d, const tern_results *r);
void tern_section_run(tern_doc *d, const tern_results *r);
void tern_section_rules(tern_doc *d);

/* What a reader must know before trusting the figures ("synthetic weights",
 * "quick mode", ...): i-th line, false past the end. */
bool tern_results_warning(const tern_results *r, int i, char *text, size_t size);

#endif
