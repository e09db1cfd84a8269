/* Bar charts of speeds, speed-ups and memory. */
#include "reports/plots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/chart.h"
#include "reports/format.h"
#include "reports/gnuplot.h"

/* Numbers of the plots on the page, for ids. */
enum { PLOT_DECODE = 1, PLOT_PREFILL, PLOT_SPEEDUP, PLOT_MEMORY };

static void add_figure(tern_doc *d, const tern_chart *c, int number, const char *title, const char *description) {
  char *script = NULL, why[160] = "";
  size_t size;
  if (c->bar_count == 0) return;
  FILE *out = open_memstream(&script, &size);
  if (!out) {
    d->failed = true;
    return;
  }
  tern_chart_script(c, out);
  if (fclose(out) != 0) {
    d->failed = true;
    free(script);
    return;
  }
  char *svg = tern_gnuplot(script, size, number, title, description, why, sizeof why);
  tern_doc_figure(d, svg, why, description, title);
  free(script);
}

static bool several_models(const tern_results *r) {
  for (int i = 1; i < r->summary_count; i++)
    if (*r->summary[i].model && *r->summary[0].model && strcmp(r->summary[i].model, r->summary[0].model) != 0)
      return true;
  return false;
}

/* "decode-128, 2 threads", with the model where there are several. */
static void group_name(const tern_results *r, const tern_summary_row *s, const char *before, char *out, size_t size) {
  snprintf(out, size, "%s%s%s%s, %d thread%s%s%s", before, several_models(r) ? s->model : "",
           several_models(r) ? ": " : "", s->workload, s->threads, s->threads == 1 ? "" : "s",
           *s->placement ? ", " : "", s->placement);
}

static void add_bar(tern_chart *c, const char *group, const char *series, const tern_summary_row *s, const char *unit) {
  tern_bar *b = tern_chart_bar(c, group, series);
  if (!b) return;
  b->value = s->median;
  b->low = s->low;
  b->high = s->high;
  snprintf(b->label, sizeof b->label, "%.20s%s", tern_format_number(s->median).text, unit);
}

/* Whether an earlier row has the same metric, model, workload and threads. */
static bool grouped(const tern_results *r, int row) {
  const tern_summary_row *s = &r->summary[row];
  for (int i = 0; i < row; i++) {
    const tern_summary_row *o = &r->summary[i];
    if (strcmp(o->metric, s->metric) == 0 && strcmp(o->model, s->model) == 0 && strcmp(o->workload, s->workload) == 0 &&
        o->threads == s->threads && strcmp(o->placement, s->placement) == 0)
      return true;
  }
  return false;
}

void tern_plot_speed(tern_doc *d, const tern_results *r, const char *phase) {
  tern_chart c = {.axis = "tokens/s"};
  bool decode = strcmp(phase, "decode") == 0;
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    if (strncmp(s->workload, phase, strlen(phase)) != 0 || grouped(r, i)) continue;
    for (int k = i; (k = tern_results_find(r, k, "speed", NULL, s->model)) >= 0; k++) {
      const tern_summary_row *o = &r->summary[k];
      char group[TERN_CHART_LABEL];
      if (strcmp(o->workload, s->workload) != 0 || o->threads != s->threads ||
          strcmp(o->placement, s->placement) != 0 || isnan(o->median))
        continue;
      group_name(r, o, "", group, sizeof group);
      add_bar(&c, group, o->engine, o, "");
    }
  }
  add_figure(d, &c, decode ? PLOT_DECODE : PLOT_PREFILL,
             decode ? "Decoding speed of each engine" : "Prefill speed of each engine",
             decode ? "Decoding speed in tokens/s; the line over a bar is the interval of the median."
                    : "Prefill speed in tokens/s; the line over a bar is the interval of the median.");
}

void tern_plot_speedup(tern_doc *d, const tern_results *r, const tern_claims *claims) {
  tern_chart c = {.axis = "times as fast"};
  const char *platform = tern_results_platform(r);
  for (int i = 0; (i = tern_results_find(r, i, "speedup", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    char group[TERN_CHART_LABEL];
    if (isnan(s->median) || !tern_results_of_reference(r, s)) continue;
    group_name(r, s, "", group, sizeof group);
    add_bar(&c, group, s->engine, s, "x");
  }
  for (int i = 0; i < claims->count && c.band_count < TERN_CHART_BANDS; i++) {
    const tern_claim *k = &claims->items[i];
    if (strcmp(k->metric, "speedup") != 0 || strcmp(k->ours_key, "ternary/f16") != 0 || !*k->low) continue;
    if (strcmp(k->platform, platform) != 0) continue;
    tern_band *b = &c.bands[c.band_count++];
    b->low = strtod(k->low, NULL);
    b->high = strtod(k->high, NULL);
    snprintf(b->label, sizeof b->label, "published on %s: %s to %s", strcmp(platform, "arm") == 0 ? "ARM" : platform,
             k->low, k->high);
  }
  add_figure(d, &c, PLOT_SPEEDUP, "Ratio of times of two engines",
             "How many times as fast the first engine is as the second, with the interval of the paired ratio. Shaded: "
             "the published range of bitnet.cpp against llama.cpp fp16, another pair of engines.");
}

void tern_plot_memory(tern_doc *d, const tern_results *r) {
  static const struct {
    const char *metric, *series;
  } parts[] = {
      {"body_memory", "layers"}, {"head_memory", "head"}, {"embedding_memory", "embedding"}, {"kv_memory", "KV cache"}};
  tern_chart c = {.axis = "GB"};
  for (int i = 0; (i = tern_results_find(r, i, "body_memory", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    char group[TERN_CHART_LABEL];
    double base = 0;
    tern_bar *last = NULL;
    snprintf(group, sizeof group, "%s%s%s", several_models(r) ? s->model : "", several_models(r) ? ": " : "",
             s->engine);
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
      int row = tern_results_find(r, 0, parts[k].metric, s->engine, s->model);
      if (row < 0 || isnan(r->summary[row].median) || r->summary[row].median == 0) continue;
      tern_bar *b = tern_chart_bar(&c, group, parts[k].series);
      if (!b) break;
      b->value = r->summary[row].median / 1e9;
      b->base = base;
      b->stacked = last != NULL;
      base += b->value;
      last = b;
    }
    if (last) snprintf(last->label, sizeof last->label, "%.20s", tern_format_bytes(base * 1e9).text);
  }
  add_figure(d, &c, PLOT_MEMORY, "Memory of each engine", "Memory of each engine's buffers, in GB of 1e9 bytes.");
}
