/* Samples over time, each as a share of its series' median: where every series
 * moves at once, the machine changed, not an engine. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/chart.h"
#include "reports/escape.h"
#include "reports/gnuplot.h"
#include "reports/plots.h"

enum { PLOT_TIME = 5 };

static bool usable(const tern_sample_row *s) {
  return strcmp(s->mark, "warmup") != 0 && !s->superseded && s->seconds > 0 && s->tokens > 0 && isfinite(s->start_s);
}

static bool same_series(const tern_sample_row *a, const tern_sample_row *b) {
  return a->threads == b->threads && strcmp(a->placement, b->placement) == 0 && strcmp(a->engine, b->engine) == 0 &&
         strcmp(a->model, b->model) == 0 && strcmp(a->workload, b->workload) == 0;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, by_value);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Median speed of a sample's series; `room` holds sample_count values. */
static double series_median(const tern_results *r, const tern_sample_row *of, double *room) {
  int n = 0;
  for (int i = 0; i < r->sample_count; i++)
    if (usable(&r->samples[i]) && same_series(&r->samples[i], of))
      room[n++] = r->samples[i].tokens / r->samples[i].seconds;
  return n ? median(room, n) : NAN;
}

static double bandwidth_median(const tern_results *r, int threads, double *room) {
  int n = 0;
  for (int i = 0; i < r->sample_count; i++)
    if (usable(&r->samples[i]) && r->samples[i].threads == threads && r->samples[i].read_gbs > 0)
      room[n++] = r->samples[i].read_gbs;
  return n ? median(room, n) : NAN;
}

static int most_threads(const tern_results *r) {
  int most = 0;
  for (int i = 0; i < r->sample_count; i++)
    if (r->samples[i].threads > most) most = r->samples[i].threads;
  return most;
}

/* Writes the points of one series name; filled marks are of the most threads. */
static int put_points(const tern_results *r, const char *name, int which, int most, double *room, FILE *out) {
  int points = 0;
  fprintf(out, "$points%d << EOD\n", which);
  for (int i = 0; i < r->sample_count; i++) {
    const tern_sample_row *s = &r->samples[i];
    char label[TERN_CHART_LABEL];
    tern_escape_label(label, sizeof label, s->engine);
    if (!usable(s) || strcmp(label, name) != 0) continue;
    double middle = series_median(r, s, room);
    fprintf(out, "%.3f %.5f %d\n", s->start_s, s->tokens / s->seconds / middle, s->threads == most ? 7 : 6);
    points++;
  }
  fputs("EOD\n", out);
  return points;
}

static bool put_bandwidth(const tern_results *r, int most, double *room, FILE *out) {
  double middle = bandwidth_median(r, most, room);
  if (isnan(middle)) return false;
  fputs("$bandwidth << EOD\n", out);
  for (int i = 0; i < r->sample_count; i++) {
    const tern_sample_row *s = &r->samples[i];
    if (usable(s) && s->threads == most && s->read_gbs > 0)
      fprintf(out, "%.3f %.5f\n", s->start_s, s->read_gbs / middle);
  }
  fputs("EOD\n", out);
  return true;
}

static void put_blocks(const tern_results *r, FILE *out) {
  for (int i = 1; i < r->sample_count; i++)
    if (r->samples[i].block != r->samples[i - 1].block && isfinite(r->samples[i].start_s))
      fprintf(out, "set arrow from %.3f, graph 0 to %.3f, graph 1 nohead lc rgb '#9aa4af' lw 0.6 dt 2\n",
              r->samples[i].start_s, r->samples[i].start_s);
}

/* The whole script; returns the number of points. */
static int put_script(const tern_results *r, const tern_chart *names, double *room, FILE *out) {
  int points = 0, most = most_threads(r);
  tern_chart_begin(out, 680, 340);
  fputs("set xlabel 'seconds since the run began' offset 0,0.5 font ',13'\n"
        "set ylabel 'share of the median' font ',13'\n"
        "set yrange [*<0.85:1.1<*]\nset offsets graph 0.02, graph 0.02, graph 0.03, graph 0.03\n",
        out);
  put_blocks(r, out);
  for (int s = 0; s < names->series_count; s++) points += put_points(r, names->series[s], s, most, room, out);
  bool bandwidth = put_bandwidth(r, most, room, out);
  fputs("plot 1 with lines lc rgb '#8a94a0' lw 1 notitle", out);
  if (bandwidth)
    fprintf(out, ", $bandwidth using 1:2 with lines lw 1.6 lc rgb '%s' title 'read bandwidth'",
            tern_chart_colour("read bandwidth", 0));
  for (int s = 0; s < names->series_count; s++)
    fprintf(out,
            ", $points%d using 1:2:3 with points pt variable ps 0.7 lw 1.4 lc rgb '%s' notitle"
            ", keyentry with points pt 7 ps 0.7 lc rgb '%s' title '%s'",
            s, tern_chart_colour(names->series[s], s), tern_chart_colour(names->series[s], s), names->series[s]);
  fputc('\n', out);
  return points;
}

void tern_plot_time(tern_doc *d, const tern_results *r) {
  static const char title[] = "Samples over time";
  static const char text[] =
      "Every repetition at its time, as a share of the median of its own engine, workload and thread count; filled "
      "marks have all threads. Dashed lines part the blocks. Where all move together, the machine changed its pace.";
  tern_chart *names = calloc(1, sizeof *names); /* only to keep the list of engines */
  double *room = calloc((size_t)r->sample_count + 1, sizeof *room);
  char *script = NULL, why[160] = "";
  size_t size;
  FILE *out = names && room ? open_memstream(&script, &size) : NULL;
  if (!out) {
    d->failed = true;
    goto out;
  }
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0; i++)
    tern_chart_series(names, r->summary[i].engine); /* in the order of the other charts */
  for (int i = 0; i < r->sample_count; i++)
    if (usable(&r->samples[i])) tern_chart_series(names, r->samples[i].engine);
  int points = put_script(r, names, room, out);
  if (fclose(out) != 0) {
    d->failed = true;
    goto out;
  }
  if (points) tern_doc_figure(d, tern_gnuplot(script, size, PLOT_TIME, title, text, why, sizeof why), why, text, title);
out:
  free(script);
  free(room);
  free(names);
}
