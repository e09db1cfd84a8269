/* An empty choice is divided by zero as numpy does it: -inf, or NAN of an
 * impossible sum; and argmax takes the first NAN before any number. */
#include "harness/eval/choice.h"

#include <math.h>
#include <string.h>

#include "harness/eval/python_text.h"

static double scored(const tern_choice *c, tern_choice_by by) {
  if (by == TERN_BY_SUM) return c->logprob;
  return c->logprob / (double)(by == TERN_BY_BYTES ? strlen(c->text) : tern_python_length(c->text));
}

size_t tern_choice_best(const tern_choice *choices, size_t n, tern_choice_by by) {
  size_t best = 0;
  double most = scored(&choices[0], by);
  for (size_t i = 1; i < n && !isnan(most); i++) {
    double s = scored(&choices[i], by);
    if (s > most || isnan(s)) most = s, best = i;
  }
  return best;
}

double tern_choice_mass(const tern_choice *choices, const bool *truth, size_t n) {
  double all = 0, true_ones = 0;
  for (size_t i = 0; i < n; i++) all += exp(choices[i].logprob);
  for (size_t i = 0; i < n; i++) true_ones += truth[i] ? exp(choices[i].logprob) / all : 0;
  return true_ones;
}
