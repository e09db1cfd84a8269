/* The short text for a terminal. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "reports/escape.h"
#include "reports/format.h"
#include "reports/report.h"
#include "reports/sections.h"

enum { LONGEST_REASON = 90 };

/* ASCII text in a field of `width` (0: none) and a blank after it; longer text
 * pushes the rest along. */
static void put(FILE *out, const char *text, int width) {
  int n = 0;
  for (const unsigned char *s = (const unsigned char *)text; *s; s++) n += (*s & 0xc0) != 0x80;
  tern_escape_ascii(out, text);
  if (width) fprintf(out, "%*s", n < width ? width - n + 1 : 1, "");
}

static void put_speedups(const tern_results *r, FILE *out) {
  int width = 0;
  for (int i = 0; (i = tern_results_find(r, i, "speedup", NULL, NULL)) >= 0; i++)
    if (tern_results_of_reference(r, &r->summary[i]))
      width = (int)fmax(width, fmin((double)strlen(r->summary[i].engine), 48));
  for (int i = 0; (i = tern_results_find(r, i, "speedup", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    char line[256];
    if (isnan(s->median) || !tern_results_of_reference(r, s)) continue;
    snprintf(line, sizeof line, "%.40s, %.60s%s%.40s", s->model, s->workload, *s->placement ? ", " : "", s->placement);
    fputs("  ", out);
    put(out, s->engine, width);
    put(out, line, 28);
    fprintf(out, "%3d thread%s ", s->threads, s->threads == 1 ? ", " : "s,");
    snprintf(line, sizeof line, "%.100s x", tern_format_interval(s->median, s->low, s->high).text);
    put(out, line, 22);
    fprintf(out, "n=%d%s\n", s->n, tern_results_provisional(r, s->engine) ? "  provisional" : "");
  }
}

static void put_claim(const tern_claim *c, FILE *out) {
  char verdict[400];
  tern_text ours = tern_format_figure(&c->ours, c->unit), peers = tern_format_figure(&c->peers, c->unit);
  const char *join = !*c->reason ? "" : c->verdict == TERN_VERDICT_NOT_TESTABLE ? ": " : "; ";
  bool long_reason = strlen(c->reason) > LONGEST_REASON; /* whole in the report */
  snprintf(verdict, sizeof verdict, "%s%s%s%.*s%s", tern_verdict_text(c->verdict),
           c->provisional ? ", provisional" : "", join, LONGEST_REASON, c->reason, long_reason ? "..." : "");
  fputs("  ", out);
  put(out, c->id, 20);
  put(out, tern_format_printed(c->low, c->high, c->unit, "-").text, 20);
  put(out, c->ours.present ? ours.text : "-", 34);
  if (c->peers.present) {
    fputs("peers ", out);
    put(out, peers.text, 24);
  }
  tern_escape_ascii(out, verdict);
  fputc('\n', out);
}

int tern_report_headline(const char *dir, FILE *out, tern_error *e) {
  tern_results r;
  tern_claims claims = {0};
  char line[600];
  if (tern_results_read(&r, dir, e)) return (int)e->status;
  int status = tern_claims_read(&claims, e);
  if (status) goto out;
  tern_claims_judge(&claims, &r);
  for (int i = 0; tern_results_warning(&r, i, line, sizeof line); i++) {
    fputs("note: ", out);
    put(out, line, 0);
    fputc('\n', out);
  }
  fputs("\nspeed-up\n", out);
  put_speedups(&r, out);
  fputs("\nclaims\n  ", out);
  put(out, "claim", 20);
  put(out, "published", 20);
  put(out, "ours", 34);
  fputs("verdict\n", out);
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < claims.count; i++)
      if ((claims.items[i].verdict == TERN_VERDICT_NOT_TESTABLE) == pass) put_claim(&claims.items[i], out);
  if (!tern_results_peers(&r)) fputs("peers: no outside engine was measured in this run\n", out);
  fputs("\nreport: ", out);
  put(out, dir, 0);
  fputs("/report.html\n", out);
  if (ferror(out)) status = tern_fail(e, TERN_FAILED, "standard output: cannot write");
out:
  tern_claims_free(&claims);
  tern_results_free(&r);
  return status;
}
