/* The test for a trend is Mann's (1945), with the exact distribution of S: the
 * falling pairs of a random order are its inversions, counted by Mahonian
 * numbers. */
#include "harness/steady.h"

#include <stdlib.h>

enum { MOST_PAIRS = TERN_STEADY_WINDOW * (TERN_STEADY_WINDOW - 1) / 2 };

const tern_steady_rule tern_steady_default = {.window = 6, .most = 20, .precision = 0.01, .level = 0.14};

int tern_trend_score(const double *values, int n) {
  int score = 0;
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) score += (values[j] > values[i]) - (values[j] < values[i]);
  return score;
}

double tern_trend_chance(int n, int score) {
  double p[MOST_PAIRS + 1] = {1}, chance = 0; /* p[i]: i inversions */
  for (int m = 2; m <= n; m++) {
    double next[MOST_PAIRS + 1] = {0};
    for (int i = 0; i <= (m - 1) * (m - 2) / 2; i++)
      for (int add = 0; add < m; add++) next[i + add] += p[i] / m;
    for (int i = 0; i <= m * (m - 1) / 2; i++) p[i] = next[i];
  }
  int pairs = n * (n - 1) / 2;
  for (int i = 0; i <= pairs; i++)
    if (abs(pairs - 2 * i) >= abs(score)) chance += p[i];
  return chance;
}

tern_steady tern_steady_decide(const double *seconds, int n, const tern_steady_rule *rule) {
  if (n >= rule->window) {
    const double *window = seconds + n - rule->window;
    double low = window[0], high = window[0];
    for (int i = 1; i < rule->window; i++) {
      if (window[i] < low) low = window[i];
      if (window[i] > high) high = window[i];
    }
    int score = tern_trend_score(window, rule->window);
    if (high - low <= rule->precision * low || tern_trend_chance(rule->window, score) > rule->level) return TERN_STEADY;
  }
  return n >= rule->most ? TERN_STEADY_GIVEN_UP : TERN_STEADY_NOT_YET;
}
