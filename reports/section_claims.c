/* Headline and claims. */
#include <math.h>
#include <string.h>

#include "reports/figures.h"
#include "reports/format.h"
#include "reports/manifest.h"
#include "reports/sections.h"

static const tern_tone tones[TERN_VERDICTS] = {
    [TERN_VERDICT_REPRODUCED] = TERN_GOOD, [TERN_VERDICT_NOT_REPRODUCED] = TERN_BAD,
    [TERN_VERDICT_INSIDE] = TERN_GOOD,     [TERN_VERDICT_BELOW] = TERN_CAUTION,
    [TERN_VERDICT_ABOVE] = TERN_CAUTION,   [TERN_VERDICT_PARTLY] = TERN_CAUTION,
    [TERN_VERDICT_RECOMPUTED] = TERN_GOOD, [TERN_VERDICT_NOT_RECOMPUTED] = TERN_BAD,
    [TERN_VERDICT_NONE] = TERN_CAUTION,    [TERN_VERDICT_NOT_TESTABLE] = TERN_QUIET,
};

static void card_of(tern_doc *d, const tern_results *r, const char *metric, const char *engine, const char *unit,
                    const char *label) {
  int row = tern_results_representative(r, metric, engine, NULL);
  char value[96], detail[256];
  if (row < 0) return;
  const tern_summary_row *s = &r->summary[row];
  bool provisional = strchr(engine, '/') && tern_results_provisional(r, engine);
  snprintf(value, sizeof value, "%.40s %s", tern_format_number(s->median).text, unit);
  char interval[96] = "no interval";
  if (!isnan(s->low))
    snprintf(interval, sizeof interval, "%.40s to %.40s", tern_format_number(s->low).text,
             tern_format_number(s->high).text);
  snprintf(detail, sizeof detail, "%s%s, n=%d; %.40s, %.40s, %d thread%s", provisional ? "provisional; " : "", interval,
           s->n, s->model, s->workload, s->threads, s->threads == 1 ? "" : "s");
  tern_doc_card(d, value, label, detail);
}

static void memory_card(tern_doc *d, const tern_results *r) {
  int ternary = tern_results_representative(r, "body_memory", "ternary", NULL);
  char detail[160] = "size of the engine's buffers";
  if (ternary < 0) return;
  int half = tern_results_representative(r, "body_memory", "f16", r->summary[ternary].model);
  if (half >= 0) snprintf(detail, sizeof detail, "as fp16: %.40s", tern_format_bytes(r->summary[half].median).text);
  tern_doc_card(d, tern_format_bytes(r->summary[ternary].median).text, "ternary layers in memory", detail);
}

void tern_section_headline(tern_doc *d, const tern_results *r, const tern_claims *claims) {
  char cpu[128], line[600];
  int counts[TERN_VERDICTS] = {0};
  int row = tern_results_find(r, 0, "speed", NULL, NULL);
  tern_manifest_text(r->manifest, "machine.cpu|cpu", cpu, sizeof cpu);
  tern_doc_title(d, "Ternmark report: %s on %s", row >= 0 ? r->summary[row].model : "no model",
                 *cpu ? cpu : "an unnamed CPU");
  card_of(d, r, "speedup", "ternary/f16", "x", "ternary over fp16, decoding");
  card_of(d, r, "speedup", "ternary/int8", "x", "ternary over int8, decoding");
  card_of(d, r, "speed", "ternary", "tokens/s", "ternary decoding");
  memory_card(d, r);
  card_of(d, r, "energy_saving", "ternary/f16", "%", "less energy a token than fp16");
  for (int i = 0; i < claims->count; i++) counts[claims->items[i].verdict]++;
  size_t n = (size_t)snprintf(line, sizeof line, "%d claims:", claims->count);
  for (int v = 0; v < TERN_VERDICTS; v++)
    if (counts[v])
      n += (size_t)snprintf(line + n, sizeof line - n, "%s %s (%d)", line[n - 1] == ':' ? "" : ";",
                            tern_verdict_text((tern_verdict)v), counts[v]);
  tern_doc_text(d, "%s.", line);
  for (int i = 0; tern_results_warning(r, i, line, sizeof line); i++) tern_doc_notice(d, "%s", line);
}

static void put_figure(tern_doc *d, const tern_claim *c, const tern_figure *f, const char *how, bool provisional) {
  if (!f->present)
    tern_doc_cell(d, TERN_QUIET, "%s", how);
  else
    tern_doc_cell(d, TERN_PLAIN, "%s%s; %s", provisional ? "provisional: " : "", tern_format_figure(f, c->unit).text,
                  how);
}

void tern_section_claims(tern_doc *d, const tern_claims *claims) {
  static const tern_column answered[] = {
      {"Claim", false}, {"Published", false}, {"Ours", false}, {"Peers", false}, {"Verdict", false}};
  const char *provisional = NULL;
  tern_doc_heading(d, 2, "claims", "Claims");
  tern_doc_text(
      d, "Ours is our own baseline against our ternary engine; peers are outside engines measured in the same run. "
         "Only peers can make a claim about them reproduced or not reproduced.");
  tern_doc_table(d, "Claims this run can speak to", answered, 5, true);
  for (int i = 0; i < claims->count; i++) {
    const tern_claim *c = &claims->items[i];
    if (c->verdict == TERN_VERDICT_NOT_TESTABLE) continue;
    if (c->provisional) provisional = c->provisional;
    tern_doc_cell(d, TERN_PLAIN, "%s", c->text);
    tern_doc_cell(d, TERN_PLAIN, "%s; %s, %s", tern_format_printed(c->low, c->high, c->unit, "–").text,
                  c->how_published, c->source);
    put_figure(d, c, &c->ours, c->ours_how, c->provisional != NULL);
    put_figure(d, c, &c->peers, c->peers_how, false);
    tern_doc_cell(d, tones[c->verdict], "%s%s%s%s", tern_verdict_text(c->verdict), *c->reason ? "; " : "", c->reason,
                  c->provisional && c->verdict != TERN_VERDICT_NONE ? "; provisional" : "");
  }
  if (provisional)
    tern_doc_text(d, "Provisional: %s. The speed-up over the best baseline is smaller than the one over ours.",
                  provisional);
}

void tern_section_untested(tern_doc *d, const tern_claims *claims) {
  static const tern_column columns[] = {{"Claim", false}, {"Published", false}, {"Why not here", false}};
  tern_doc_heading(d, 2, "untested", "Claims not testable here");
  tern_doc_table(d, "What each of these claims lacks in this run", columns, 3, true);
  for (int i = 0; i < claims->count; i++) {
    const tern_claim *c = &claims->items[i];
    if (c->verdict != TERN_VERDICT_NOT_TESTABLE) continue;
    tern_doc_cell(d, TERN_PLAIN, "%s", c->text);
    tern_doc_cell(d, TERN_PLAIN, "%s; %s, %s", tern_format_printed(c->low, c->high, c->unit, "–").text,
                  c->how_published, c->source);
    tern_doc_cell(d, TERN_QUIET, "%s", c->reason);
  }
}
