/* Claims: reading and judging. Which figure answers a claim is in figures.c,
 * what may forbid a test in needs.c, the verdict's rule in verdict.c. */
#include "reports/claims.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "reports/figures.h"
#include "reports/format.h"

static const struct {
  const char *column;
  size_t offset;
} columns[] = {
    {"id", offsetof(tern_claim, id)},
    {"source", offsetof(tern_claim, source)},
    {"text", offsetof(tern_claim, text)},
    {"platform", offsetof(tern_claim, platform)},
    {"metric", offsetof(tern_claim, metric)},
    {"subject", offsetof(tern_claim, subject)},
    {"low", offsetof(tern_claim, low)},
    {"high", offsetof(tern_claim, high)},
    {"unit", offsetof(tern_claim, unit)},
    {"needs", offsetof(tern_claim, needs)},
    {"how_published", offsetof(tern_claim, how_published)},
    {"ours", offsetof(tern_claim, ours_key)},
    {"peers", offsetof(tern_claim, peers_key)},
    {"note", offsetof(tern_claim, note)},
};

int tern_claims_read(tern_claims *out, tern_error *e) {
  *out = (tern_claims){0};
  if (tern_table_published(&out->table, "claims.csv", e)) return (int)e->status;
  out->count = tern_table_rows(out->table);
  out->items = calloc((size_t)out->count + 1, sizeof *out->items);
  if (!out->items) {
    tern_claims_free(out);
    return tern_fail(e, TERN_FAILED, "claims.csv: out of memory");
  }
  for (int row = 0; row < out->count; row++) {
    tern_claim *c = &out->items[row];
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
      *(const char **)((char *)c + columns[i].offset) = tern_table_get(out->table, row, columns[i].column);
    c->range = tern_range_parse(c->low, c->high);
  }
  return 0;
}

void tern_claims_free(tern_claims *c) {
  tern_table_free(c->table);
  free(c->items);
  *c = (tern_claims){0};
}

static void explain(tern_claim *c, const char *unmet) {
  const tern_figure *f = c->peers.present ? &c->peers : &c->ours;
  c->reason[0] = '\0';
  if (unmet)
    snprintf(c->reason, sizeof c->reason, "%s", unmet);
  else if (c->verdict == TERN_VERDICT_NOT_TESTABLE)
    snprintf(c->reason, sizeof c->reason, "%s",
             *c->ours_key ? "no model of a published size was measured for it in this run"
                          : "the engines it names were not measured in this run");
  else if (c->verdict == TERN_VERDICT_NONE)
    snprintf(c->reason, sizeof c->reason, "%d of %d repetitions", f->n, TERN_ENOUGH);
  else if (c->verdict == TERN_VERDICT_NOT_REPRODUCED && !c->range.has_low)
    snprintf(c->reason, sizeof c->reason, "the printed maximum was not reached with the models of this run");
  else if (tern_range_crossed(&c->range, f))
    snprintf(c->reason, sizeof c->reason, "the interval crosses a bound");
}

void tern_claims_judge(tern_claims *list, const tern_results *r) {
  for (int i = 0; i < list->count; i++) {
    tern_claim *c = &list->items[i];
    char unmet[sizeof c->reason];
    bool testable = tern_claim_testable(c, r, unmet, sizeof unmet);
    bool modelled = strncmp(c->ours_key, "model:", 6) == 0;
    c->ours = (tern_figure){0};
    c->peers = (tern_figure){0};
    c->ours_how[0] = c->peers_how[0] = '\0';
    if (testable) tern_claim_figures(c, r);
    if (!c->peers.present && *c->peers_key && !*c->peers_how)
      snprintf(c->peers_how, sizeof c->peers_how, "%s",
               !tern_results_peers(r) ? "no outside engine was measured in this run"
               : tern_results_representative(r, "speed", c->peers_key, NULL) >= 0
                   ? "the outside engine does not tell this figure"
                   : "the outside engines it names were not measured in this run");
    if (testable && !*c->peers_key)
      snprintf(c->peers_how, sizeof c->peers_how, "%s",
               modelled ? "a formula; no engine runs" : "not compared: an absolute figure of another CPU");
    c->provisional = !modelled && c->ours.present ? tern_results_provisional(r, c->ours_key) : NULL;
    if (!strchr(c->ours_key, '/')) c->provisional = NULL;
    c->verdict = tern_verdict_decide(&c->range, &c->ours, &c->peers, testable ? NULL : unmet, modelled);
    explain(c, testable ? NULL : unmet);
  }
}

static void put(FILE *f, const char *text, bool last) {
  csv_fwrite(f, text, strlen(text));
  fputc(last ? '\n' : ',', f);
}

static void put_figure(FILE *f, const tern_figure *v) {
  char text[40];
  const double parts[] = {v->median_low, v->median_high, v->low, v->high};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    text[0] = '\0';
    if (v->present && parts[i] == parts[i] && !(v->exact && i >= 2)) snprintf(text, sizeof text, "%.6g", parts[i]);
    put(f, text, false);
  }
  text[0] = '\0';
  if (v->present && !v->exact) snprintf(text, sizeof text, "%d", v->n);
  put(f, text, false);
}

int tern_claims_write(const tern_claims *list, const char *dir, tern_error *e) {
  char path[4096];
  tern_output *o;
  snprintf(path, sizeof path, "%s/claims.csv", dir);
  if (tern_output_open(&o, path, e)) return (int)e->status;
  FILE *f = tern_output_stream(o);
  fputs("id,source,text,platform,unit,published_low,published_high,how_published,"
        "ours,ours_median_high,ours_low,ours_high,ours_n,ours_how,ours_place,"
        "peers,peers_median_high,peers_low,peers_high,peers_n,peers_how,verdict,reason,provisional,note\n",
        f);
  for (int i = 0; i < list->count; i++) {
    const tern_claim *c = &list->items[i];
    const char *head[] = {c->id, c->source, c->text, c->platform, c->unit, c->low, c->high, c->how_published};
    for (size_t k = 0; k < sizeof head / sizeof *head; k++) put(f, head[k], false);
    put_figure(f, &c->ours);
    put(f, c->ours_how, false);
    put(f, tern_verdict_ours(&c->range, &c->ours), false);
    put_figure(f, &c->peers);
    put(f, c->peers_how, false);
    put(f, tern_verdict_text(c->verdict), false);
    put(f, c->reason, false);
    put(f, c->provisional ? c->provisional : "", false);
    put(f, c->note, true);
  }
  return tern_output_commit(o, e);
}
