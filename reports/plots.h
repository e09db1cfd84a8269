/* The report's plots, from summary and samples. */
#ifndef TERN_REPORTS_PLOTS_H
#define TERN_REPORTS_PLOTS_H

#include "reports/claims.h"
#include "reports/doc.h"
#include "reports/results.h"

/* Each appends one figure to the document; one without data appends nothing. */
void tern_plot_speed(tern_doc *d, const tern_results *r, const char *phase);
void tern_plot_speedup(tern_doc *d, const tern_results *r, const tern_claims *claims);
void tern_plot_time(tern_doc *d, const tern_results *r);
void tern_plot_memory(tern_doc *d, const tern_results *r);

#endif
