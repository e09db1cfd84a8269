/* The report's figures as one JSON object; what is not available is null. */
#include <jansson.h>
#include <math.h>

#include "reports/claims.h"
#include "reports/report.h"
#include "reports/results.h"
#include "reports/sections.h"

static json_t *real(double v) {
  return isfinite(v) ? json_real(v) : json_null();
}
static json_t *count(int n) {
  return n > 0 ? json_integer(n) : json_null();
}
/* Text from files may not be UTF-8; jansson then gives NULL. */
static json_t *text(const char *s) {
  json_t *t = s && *s ? json_string(s) : NULL;
  return t ? t : json_null();
}

static json_t *summary_json(const tern_results *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->summary_count; i++) {
    const tern_summary_row *s = &r->summary[i];
    json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                                          "metric", text(s->metric), "engine", text(s->engine), "model", text(s->model),
                                          "workload", text(s->workload), "threads", count(s->threads), "n", count(s->n),
                                          "median", real(s->median), "low", real(s->low), "high", real(s->high),
                                          "coverage", real(s->coverage), "unit", text(s->unit), "how", text(s->how),
                                          "note", text(s->note), "placement", text(s->placement)));
  }
  return list;
}

static json_t *figure_json(const tern_figure *f, const char *how) {
  if (!f->present) return json_pack("{s:n, s:o}", "median", "how", text(how));
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "median", real(f->median_low), "median_high", real(f->median_high),
                   "low", real(f->exact ? NAN : f->low), "high", real(f->exact ? NAN : f->high), "n", count(f->n),
                   "how", text(how));
}

static json_t *claims_json(const tern_claims *claims) {
  json_t *list = json_array();
  for (int i = 0; i < claims->count; i++) {
    const tern_claim *c = &claims->items[i];
    json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o}", "id",
                                          text(c->id), "text", text(c->text), "source", text(c->source), "unit",
                                          text(c->unit), "published", "low", text(c->low), "high", text(c->high), "how",
                                          text(c->how_published), "ours", figure_json(&c->ours, c->ours_how), "peers",
                                          figure_json(&c->peers, c->peers_how), "verdict",
                                          text(tern_verdict_text(c->verdict)), "reason", text(c->reason), "provisional",
                                          text(c->provisional)));
  }
  return list;
}

static json_t *warnings_json(const tern_results *r) {
  json_t *list = json_array();
  char line[600];
  for (int i = 0; tern_results_warning(r, i, line, sizeof line); i++) json_array_append_new(list, text(line));
  return list;
}

int tern_report_json(const char *dir, FILE *out, tern_error *e) {
  tern_results r;
  tern_claims claims = {0};
  json_t *report = NULL;
  if (tern_results_read(&r, dir, e)) return (int)e->status;
  int status = tern_claims_read(&claims, e);
  if (status) goto out;
  tern_claims_judge(&claims, &r);
  report = json_pack("{s:o, s:b, s:b, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "folder", text(dir), "finished",
                     tern_results_finished(&r), "quick", tern_results_quick(&r), "manifest", "manifest.json", "samples",
                     "samples.csv", "report", "report.html", "claims_table", "claims.csv", "warnings",
                     warnings_json(&r), "summary", summary_json(&r), "claims", claims_json(&claims));
  if (!report || json_dumpf(report, out, JSON_INDENT(2)) != 0 || fputc('\n', out) == EOF)
    status = tern_fail(e, TERN_FAILED, "%.200s: cannot write the JSON", dir);
out:
  json_decref(report);
  tern_claims_free(&claims);
  tern_results_free(&r);
  return status;
}
