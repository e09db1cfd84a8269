/* Lying bars: long labels stay readable, and a chart grows downwards. Labels
 * are reduced to harmless ASCII before they enter a script. */
#include "reports/chart.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "reports/escape.h"

static const struct {
  const char *series, *colour;
} known[] = {
    {"ternary", "#2f7bd9"}, {"f16", "#e08a1e"},  {"ternary/f16", "#e08a1e"}, {"ternary/int8", "#2a9d5c"},
    {"int8", "#2a9d5c"},    {"bf16", "#c2477f"}, {"f32", "#8a63d2"},         {"read bandwidth", "#8a94a0"},
    {"layers", "#2f7bd9"},  {"head", "#e08a1e"}, {"embedding", "#2a9d5c"},   {"KV cache", "#c2477f"},
};
static const char *const others[] = {"#0f9aa8", "#b5651d", "#6b7785", "#a03f9e", "#5b8c1f", "#c0392b"};

/* A ratio's chart lacks the bars of the reference: one place further, an
 * engine has the colour that it has among the speeds. */
const char *tern_chart_colour(const char *series, int index) {
  if (strchr(series, '/')) index++;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].series, series) == 0) return known[i].colour;
  return others[(size_t)index % (sizeof others / sizeof *others)];
}

int tern_chart_series(tern_chart *c, const char *name) {
  char label[TERN_CHART_LABEL];
  tern_escape_label(label, sizeof label, name);
  for (int i = 0; i < c->series_count; i++)
    if (strcmp(c->series[i], label) == 0) return i;
  if (c->series_count == TERN_CHART_SERIES) return -1;
  memcpy(c->series[c->series_count], label, sizeof label);
  return c->series_count++;
}

tern_bar *tern_chart_bar(tern_chart *c, const char *group, const char *series) {
  int index = tern_chart_series(c, series);
  if (index < 0 || c->bar_count == TERN_CHART_BARS) return NULL;
  tern_bar *b = &c->bars[c->bar_count++];
  *b = (tern_bar){.series = index, .value = NAN, .low = NAN, .high = NAN};
  tern_escape_label(b->group, sizeof b->group, group);
  return b;
}

void tern_chart_begin(FILE *out, int width, int height) {
  fprintf(out,
          "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,14'\n"
          "set encoding utf8\n"
          "set border 3 lc rgb 'black' lw 0.8\n"
          "set tics nomirror out scale 0.5\n"
          "set grid xtics ytics lc rgb '#9aa4af' lw 0.5 dt 3\n"
          "set tics font ',13'\n"
          "set key outside top left horizontal Left reverse samplen 1.2 width 1 font ',13'\n",
          width, height);
}

/* Place of every bar from the top down; returns the height in bars. */
static double place(const tern_chart *c, double *y) {
  double at = 0;
  for (int i = 0; i < c->bar_count; i++) {
    if (i && !c->bars[i].stacked) at += strcmp(c->bars[i].group, c->bars[i - 1].group) == 0 ? 1 : 1.7;
    y[i] = -at;
  }
  return at + 1;
}

static double reach(const tern_chart *c) {
  double most = 0;
  for (int i = 0; i < c->bar_count; i++) {
    const tern_bar *b = &c->bars[i];
    most = fmax(most, b->base + b->value);
    if (isfinite(b->high)) most = fmax(most, b->high);
  }
  for (int i = 0; i < c->band_count; i++) most = fmax(most, c->bands[i].high);
  return most > 0 ? most : 1;
}

static void put_groups(const tern_chart *c, const double *y, FILE *out) {
  fputs("set ytics scale 0 (", out);
  for (int i = 0, n = 0; i < c->bar_count; i++) {
    int last = i;
    while (last + 1 < c->bar_count && strcmp(c->bars[last + 1].group, c->bars[i].group) == 0) last++;
    fprintf(out, "%s'%s' %.3f", n++ ? ", " : "", c->bars[i].group, (y[i] + y[last]) / 2);
    i = last;
  }
  fputs(")\n", out);
}

static void put_bands(const tern_chart *c, double top, FILE *out) {
  for (int i = 0; i < c->band_count; i++) {
    char label[TERN_CHART_LABEL];
    const tern_band *b = &c->bands[i];
    tern_escape_label(label, sizeof label, b->label);
    fprintf(out, "set object rect from %.6g, graph 0 to %.6g, graph 1 fc rgb '#8a94a0' fs solid 0.22 noborder behind\n",
            b->low, b->high);
    fprintf(out, "set label '%s' at %.6g, %.3f left offset 0.4,0 font ',12'\n", label, b->low, top);
  }
}

static void put_data(const tern_chart *c, const double *y, FILE *out) {
  for (int s = 0; s < c->series_count; s++) {
    fprintf(out, "$bars%d << EOD\n", s);
    for (int i = 0; i < c->bar_count; i++)
      if (c->bars[i].series == s)
        fprintf(out, "%.6g %.3f %.6g %.6g %.3f %.3f\n", c->bars[i].base, y[i], c->bars[i].base,
                c->bars[i].base + c->bars[i].value, y[i] - 0.42, y[i] + 0.42);
    fputs("EOD\n", out);
  }
  fputs("$intervals << EOD\n", out);
  for (int i = 0; i < c->bar_count; i++)
    if (isfinite(c->bars[i].low) && isfinite(c->bars[i].high))
      fprintf(out, "%.6g %.3f %.6g %.6g\n", c->bars[i].value, y[i], c->bars[i].low, c->bars[i].high);
  fputs("EOD\n", out);
}

static void put_labels(const tern_chart *c, const double *y, FILE *out) {
  for (int i = 0; i < c->bar_count; i++) {
    const tern_bar *b = &c->bars[i];
    char label[TERN_CHART_LABEL];
    if (!*b->label) continue;
    tern_escape_label(label, sizeof label, b->label);
    fprintf(out, "set label '%s' at %.6g, %.3f left offset 0.6,0 font ',12'\n", label,
            isfinite(b->high) ? fmax(b->high, b->base + b->value) : b->base + b->value, y[i]);
  }
}

/* Long names stand one under another: two columns would be cut off. */
static bool long_names(const tern_chart *c) {
  size_t most = 0;
  for (int s = 0; s < c->series_count; s++) most = strlen(c->series[s]) > most ? strlen(c->series[s]) : most;
  return most > 16;
}

void tern_chart_script(const tern_chart *c, FILE *out) {
  double y[TERN_CHART_BARS];
  bool intervals = false;
  double height = place(c, y);
  for (int i = 0; i < c->bar_count; i++) intervals = intervals || isfinite(c->bars[i].low);
  bool one_column = long_names(c);
  tern_chart_begin(out, 680, 110 + (int)(24 * (height + (c->band_count > 0))) + 16 * one_column * c->series_count);
  if (one_column) fputs("set key maxcols 1\n", out);
  fprintf(out, "set xrange [0:%.6g]\nset yrange [%.3f:%.3f]\n", reach(c) * 1.16, -height + 0.2,
          c->band_count ? 1.5 : 0.8);
  char axis[TERN_CHART_LABEL];
  tern_escape_label(axis, sizeof axis, c->axis);
  fprintf(out, "set xlabel '%s' offset 0,0.5 font ',13'\nset grid noytics\nunset colorbox\n", axis);
  if (c->series_count < 2) fputs("unset key\n", out);
  put_groups(c, y, out);
  put_bands(c, 1.05, out);
  put_labels(c, y, out);
  put_data(c, y, out);
  for (int s = 0; s < c->series_count; s++)
    fprintf(out, "%s$bars%d using 1:2:3:4:5:6 with boxxyerror fs solid 0.9 noborder fc rgb '%s' title '%s'",
            s ? ", " : "plot ", s, tern_chart_colour(c->series[s], s), c->series[s]);
  if (intervals) fputs(", $intervals using 1:2:3:4 with xerrorbars pt 0 lw 1.4 lc rgb 'black' notitle", out);
  fputc('\n', out);
}
