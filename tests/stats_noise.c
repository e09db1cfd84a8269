/* Draws come in one written order, so that every compiler gets the same. */
#include "tests/stats_noise.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double dice_exponential(dice *d) {
  return -log(1 - dice_unit(d));
}

double dice_normal(dice *d) { /* Box & Muller */
  double r = sqrt(2 * dice_exponential(d));
  return r * cos(2 * M_PI * dice_unit(d));
}

static void gaussian(const noise *m, dice *d, double *logs, int n) {
  for (int i = 0; i < n; i++) logs[i] = m->scale * dice_normal(d);
}

/* Student's t with three degrees of freedom: no fourth moment. */
static void heavy(const noise *m, dice *d, double *logs, int n) {
  for (int i = 0; i < n; i++) {
    double a = dice_normal(d), b = dice_normal(d), c = dice_normal(d);
    logs[i] = m->scale * dice_normal(d) / sqrt((a * a + b * b + c * c) / 3);
  }
}

/* A share `rate` of the pairs has ten times the spread. */
static void contaminated(const noise *m, dice *d, double *logs, int n) {
  for (int i = 0; i < n; i++) {
    double spread = m->scale * (dice_unit(d) < m->rate ? 10 : 1);
    logs[i] = spread * dice_normal(d);
  }
}

/* Each side is held up with probability `rate`, by 10 % on the average: what
 * another process on the same core does. */
static double held_up(const noise *m, dice *d) {
  double late = dice_unit(d) < m->rate ? 0.1 * dice_exponential(d) : 0;
  return m->scale * M_SQRT1_2 * dice_normal(d) + log1p(late);
}
static void delays(const noise *m, dice *d, double *logs, int n) {
  for (int i = 0; i < n; i++) {
    double a = held_up(m, d);
    logs[i] = a - held_up(m, d);
  }
}

/* Memory bandwidth flips between 63 and 36 GB/s; a state lasts `rate`
 * repetitions on the average (exponential), a repetition under way at a flip
 * takes part of both. */
typedef struct regime {
  int slow;
  double left; /* time until the flip */
} regime;

static regime regime_begin(const noise *m, dice *d) {
  regime r = {.slow = dice_unit(d) < 0.5};
  r.left = m->rate * dice_exponential(d);
  return r;
}

static double under_regimes(const noise *m, dice *d, regime *r) {
  static const double speed[2] = {1, 36.0 / 63};
  double work = 1, seconds = 0;
  while (work > r->left * speed[r->slow]) {
    work -= r->left * speed[r->slow];
    seconds += r->left;
    r->slow = !r->slow;
    r->left = m->rate * dice_exponential(d);
  }
  r->left -= work / speed[r->slow];
  return seconds + work / speed[r->slow];
}

static void regimes(const noise *m, dice *d, double *logs, int n) {
  regime r = regime_begin(m, d);
  for (int i = 0; i < n; i++) {
    double first = under_regimes(m, d, &r), second = under_regimes(m, d, &r), sign = dice_unit(d) < 0.5 ? 1 : -1;
    logs[i] = sign * log(first / second) + m->scale * dice_normal(d);
  }
}

/* One side reads memory, the other computes in cache for as long. */
static void regimes_of_one(const noise *m, dice *d, double *logs, int n) {
  regime r = regime_begin(m, d);
  for (int i = 0; i < n; i++) {
    r.left -= 1;
    while (r.left < 0) {
      r.slow = !r.slow;
      r.left += m->rate * dice_exponential(d);
    }
    double seconds = under_regimes(m, d, &r);
    logs[i] = log(seconds) + m->scale * dice_normal(d);
  }
}

static void delays_of_one(const noise *m, dice *d, double *logs, int n) {
  for (int i = 0; i < n; i++) {
    double a = held_up(m, d);
    logs[i] = a - m->scale * M_SQRT1_2 * dice_normal(d);
  }
}

const noise noise_models[] = {
    {"Gaussian 1 %", 0.01, 0, 0.01, 0, NULL, gaussian},
    {"Gaussian 2 %", 0.02, 0, 0.01, 0, NULL, gaussian},
    {"Gaussian 3 %", 0.03, 0, 0.01, 0, NULL, gaussian},
    {"heavy tails (t3) 1 %", 0.01, 0, 0.01, 0, NULL, heavy},
    {"heavy tails (t3) 2 %", 0.02, 0, 0.01, 0, NULL, heavy},
    {"1.5 %, one pair in 10 tenfold", 0.015, 0.1, 0.01, 0, NULL, contaminated},
    {"1 %, one pair in 4 tenfold", 0.01, 0.25, 0.01, 0, NULL, contaminated},
    {"1.5 %, delays in 20 % of repetitions", 0.015, 0.2, 0.01, 0, NULL, delays},
    {"regimes of 5 repetitions, 1 %", 0.01, 5, 0.01, 0, NULL, regimes},
    {"regimes of 20 repetitions, 2 %", 0.02, 20, 0.01, 0, NULL, regimes},
    {"regimes of 100 repetitions, 2 %", 0.02, 100, 0.01, 0, NULL, regimes},
    {.name = ""},
};

const noise noise_one_sided[] = {
    {"delays in 20 % of its repetitions, 1.5 %", 0.015, 0.2, 0.01, 0, NULL, delays_of_one},
    {"delays in 60 % of its repetitions, 1.5 %", 0.015, 0.6, 0.01, 0, NULL, delays_of_one},
    {"regimes of 2 repetitions, 2 %", 0.02, 2, 0.01, 0, NULL, regimes_of_one},
    {"regimes of 20 repetitions, 2 %", 0.02, 20, 0.01, 0, NULL, regimes_of_one},
    {"regimes of 100 repetitions, 2 %", 0.02, 100, 0.01, 0, NULL, regimes_of_one},
    {.name = ""},
};

static double signed_by_chance(double log_ratio, dice *d) {
  return dice_unit(d) < 0.5 ? log_ratio : -log_ratio;
}

static void drawn(const noise *m, dice *d, double *logs, int n) {
  for (int i = 0; i < n; i++) logs[i] = signed_by_chance(m->logs[(int)(dice_unit(d) * m->count)], d);
}

static void stretch(const noise *m, dice *d, double *logs, int n) {
  int start = (int)(dice_unit(d) * m->count);
  for (int i = 0; i < n; i++) logs[i] = signed_by_chance(m->logs[(start + i) % m->count], d);
}

static int read_blocks(noise *out, const char *path) {
  char line[256];
  FILE *f = fopen(path, "r");
  if (!f) return -1;
  out->logs = malloc(NOISE_BLOCKS * sizeof *out->logs);
  int bad = !out->logs || !fgets(line, sizeof line, f);
  while (!bad && out->count < NOISE_BLOCKS && fgets(line, sizeof line, f)) {
    double a, b;
    char first;
    if (sscanf(line, "%*d,%*f,%c,%lf,%lf", &first, &a, &b) == 3 && a > 0 && b > 0)
      out->logs[out->count++] = log(a / b);
    else
      bad = 1;
  }
  fclose(f);
  return bad || out->count < 40 ? -1 : 0;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The precision that some 15 blocks reach, where stopping early biases most:
 * 0.55 of the spread by which half the pairs lie around 1. */
static double middle_precision(const noise *m) {
  double size[NOISE_BLOCKS];
  for (int i = 0; i < m->count; i++) size[i] = fabs(m->logs[i]);
  qsort(size, (size_t)m->count, sizeof *size, ascending);
  return 0.55 * size[m->count / 2] / 0.6745;
}

int noise_recorded(const char *folder, noise *out, int room) {
  char pattern[1024];
  glob_t found;
  int count = 0, bad = 0;
  snprintf(pattern, sizeof pattern, "%s/blocks-*.csv", folder);
  if (glob(pattern, 0, NULL, &found) != 0) {
    fprintf(stderr, "%s: no recorded blocks\n", pattern);
    return -1;
  }
  for (size_t i = 0; !bad && i < found.gl_pathc && count + 2 <= room; i++) {
    noise *m = &out[count];
    const char *file = strrchr(found.gl_pathv[i], '/') + 1;
    memset(m, 0, 2 * sizeof *m);
    if (read_blocks(m, found.gl_pathv[i]) != 0) {
      fprintf(stderr, "%s: not 40 or more blocks 'block,start_s,first,a_s,b_s,...'\n", found.gl_pathv[i]);
      bad = 1;
    }
    m->precision = bad ? 0 : middle_precision(m);
    m[1] = m[0];
    m[0].fill = drawn;
    m[1].fill = stretch;
    int length = (int)(strlen(file) - strlen("blocks-.csv"));
    snprintf(m[0].name, sizeof m[0].name, "%.*s, drawn", length, file + strlen("blocks-"));
    snprintf(m[1].name, sizeof m[1].name, "%.*s, stretches", length, file + strlen("blocks-"));
    count += 2;
  }
  globfree(&found);
  if (bad) noise_free(out, count);
  return bad ? -1 : count;
}

void noise_free(noise *recorded, int count) {
  for (int i = 0; i < count; i += 2) free(recorded[i].logs);
}
