/* The loss curve of a run, from its log. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/train_parts.h"
#include "reports/gnuplot.h"

enum { POINTS = 400 };

/* Prints means over equal stretches of steps; returns the last step, and
 * whether the log has evaluations. */
static int put_losses(FILE *to, FILE *log, int last, bool *held) {
  char line[512];
  double sum = 0;
  int count = 0, step = 0, shown = 0;
  const int stretch = last / POINTS + 1;
  fprintf(to, "$loss << EOD\n");
  while (fgets(line, sizeof line, log)) {
    double loss;
    if (sscanf(line, "%d,%*f,%*f,%*f,%lf", &step, &loss) != 2) continue;
    sum += loss;
    count++;
    if (strlen(line) > 2 && line[strlen(line) - 2] != ',') *held = true;
    if (step % stretch) continue;
    fprintf(to, "%d %.6g\n", step, sum / count);
    sum = 0;
    count = 0;
    shown++;
  }
  if (count) fprintf(to, "%d %.6g\n", step, sum / count);
  fprintf(to, "EOD\n");
  return shown + count;
}

static void put_held(FILE *to, FILE *log) {
  char line[512];
  fprintf(to, "$held << EOD\n");
  while (fgets(line, sizeof line, log)) {
    const char *comma = strrchr(line, ',');
    int step;
    if (comma && comma[1] > ' ' && sscanf(line, "%d", &step) == 1) fprintf(to, "%d %s", step, comma + 1);
  }
  fprintf(to, "EOD\n");
}

static int last_step(FILE *log) {
  char line[512];
  int step = 0;
  while (fgets(line, sizeof line, log)) sscanf(line, "%d", &step);
  rewind(log);
  return step;
}

static int write_svg(const char *path, const char *svg, char *why, size_t why_size) {
  tern_output *o;
  tern_error e = {0};
  if (tern_output_open(&o, path, &e) == TERN_OK) {
    fputs("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n", tern_output_stream(o));
    fputs(svg, tern_output_stream(o));
    if (tern_output_commit(o, &e) == TERN_OK) return 0;
  }
  snprintf(why, why_size, "%.150s", e.text);
  return 1;
}

int tern_train_curve(const char *log_path, const char *path, const char *title, char *why, size_t why_size) {
  char *script = NULL, *svg = NULL;
  size_t size;
  int status = 1;
  bool held = false;
  FILE *log = fopen(log_path, "re"), *to = open_memstream(&script, &size);
  snprintf(why, why_size, "plot left out: no steps in %.100s", log_path);
  if (!log || !to) goto out;
  const int last = last_step(log), points = put_losses(to, log, last, &held);
  rewind(log);
  if (held) put_held(to, log);
  fprintf(to,
          "set terminal svg size 720,400 dynamic font 'sans,12'\nset grid\nset xlabel 'step'\n"
          "set ylabel 'loss (nats a token)'\nset logscale y\nplot $loss using 1:2 with lines lw 2 title 'training'");
  if (held) fprintf(to, ", $held using 1:2 with linespoints lw 2 title 'evaluation'");
  fputc('\n', to);
  if (fclose(to) != 0 || points == 0) {
    to = NULL;
    goto out;
  }
  to = NULL;
  svg = tern_gnuplot(script, size, 1, title, "Loss over the steps of training", why, why_size);
  if (svg) status = write_svg(path, svg, why, why_size);
out:
  if (log) fclose(log);
  if (to) fclose(to);
  free(script);
  free(svg);
  return status;
}
