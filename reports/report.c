/* Composes the report and writes its files. */
#include "reports/report.h"

#include "engine/base/file.h"
#include "reports/energy_traffic.h"
#include "reports/sections.h"

static int compose(tern_doc *d, const tern_results *r, const tern_claims *claims, tern_error *e) {
  tern_section_headline(d, r, claims);
  tern_section_claims(d, claims);
  tern_section_engines(d, r);
  tern_section_speed(d, r, claims);
  tern_section_memory(d, r);
  tern_section_energy(d, r);
  tern_section_traffic(d, r);
  tern_section_counters(d, r);
  if (tern_section_profile(d, r, e)) return (int)e->status;
  if (tern_section_published(d, r, e) || tern_section_evals(d, r, e) || tern_section_findings(d, e))
    return (int)e->status;
  tern_section_untested(d, claims);
  tern_section_run(d, r);
  tern_section_rules(d);
  return tern_doc_failed(d, e);
}

static int render(const tern_doc *d, const char *dir, const char *name, void (*form)(const tern_doc *, FILE *),
                  tern_error *e) {
  char path[4096];
  tern_output *o;
  snprintf(path, sizeof path, "%s/%s", dir, name);
  if (tern_output_open(&o, path, e)) return (int)e->status;
  form(d, tern_output_stream(o));
  return tern_output_commit(o, e);
}

int tern_report_write(const char *dir, tern_error *e) {
  tern_results results;
  tern_claims claims = {0};
  tern_doc doc = {0};
  if (tern_results_read(&results, dir, e)) return (int)e->status;
  int status = tern_claims_read(&claims, e);
  if (status) goto out;
  tern_claims_judge(&claims, &results);
  status = compose(&doc, &results, &claims, e);
  if (!status) status = tern_claims_write(&claims, dir, e);
  if (!status) status = render(&doc, dir, "report.md", tern_doc_markdown, e);
  if (!status) status = render(&doc, dir, "report.html", tern_doc_html, e);
out:
  tern_doc_free(&doc);
  tern_claims_free(&claims);
  tern_results_free(&results);
  return status;
}
