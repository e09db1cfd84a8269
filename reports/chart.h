/* Charts as gnuplot scripts: bars lying in groups, and points over time. */
#ifndef TERN_REPORTS_CHART_H
#define TERN_REPORTS_CHART_H

#include <stddef.h>
#include <stdio.h>

enum { TERN_CHART_BARS = 256, TERN_CHART_SERIES = 12, TERN_CHART_BANDS = 4, TERN_CHART_LABEL = 64 };

typedef struct tern_bar {
  char group[TERN_CHART_LABEL]; /* bars of the same group stand together */
  int series;
  double value, low, high; /* low and high NAN: no interval */
  double base;             /* where the bar begins; stacked bars have one place each */
  int stacked;             /* drawn in the place of the bar before */
  char label[TERN_CHART_LABEL];
} tern_bar;

typedef struct tern_band { /* a shaded range along the axis */
  double low, high;
  char label[TERN_CHART_LABEL];
} tern_band;

typedef struct tern_chart {
  char axis[TERN_CHART_LABEL];
  char series[TERN_CHART_SERIES][TERN_CHART_LABEL];
  int series_count;
  tern_bar bars[TERN_CHART_BARS];
  int bar_count;
  tern_band bands[TERN_CHART_BANDS];
  int band_count;
} tern_chart;

/* Index of a series by name, added when new; -1: too many. */
int tern_chart_series(tern_chart *c, const char *name);
/* A bar to fill in; NULL: too many. */
tern_bar *tern_chart_bar(tern_chart *c, const char *group, const char *series);
void tern_chart_script(const tern_chart *c, FILE *out);

/* Colour of a series ("#2f7bd9"): engines keep theirs in every chart. */
const char *tern_chart_colour(const char *series, int index);
/* Terminal, borders, key: what every script begins with. */
void tern_chart_begin(FILE *out, int width, int height);

#endif
