/* All metrics: a line each. */
#include <string.h>

#include "harness/eval/metrics.h"

static const tern_metric *const table[] = {
    &tern_metric_acc,           &tern_metric_acc_norm,     &tern_metric_acc_bytes,       &tern_metric_f1,
    &tern_metric_mc2,           &tern_metric_exact_match,  &tern_metric_word_perplexity, &tern_metric_byte_perplexity,
    &tern_metric_bits_per_byte, &tern_metric_minerva_math, &tern_metric_hendrycks_math,  &tern_metric_ifeval,
    &tern_metric_evalplus,      &tern_metric_pass_at_1,
};

const tern_metric *tern_metric_at(size_t i) {
  return i < sizeof table / sizeof *table ? table[i] : NULL;
}

const tern_metric *tern_metric_find(const char *name) {
  const tern_metric *m;
  for (size_t i = 0; (m = tern_metric_at(i)) != NULL; i++) {
    if (strcmp(m->name, name) == 0) return m;
  }
  return NULL;
}

static bool has_figure(const tern_metric *m, size_t i) {
  return i < sizeof m->figures / sizeof *m->figures && m->figures[i].name != NULL;
}

const tern_figure *tern_figure_find(const char *name) {
  const tern_metric *m;
  for (size_t i = 0; (m = tern_metric_at(i)) != NULL; i++) {
    for (size_t j = 0; has_figure(m, j); j++) {
      if (strcmp(m->figures[j].name, name) == 0) return &m->figures[j];
    }
  }
  return NULL;
}

int tern_metric_check(const tern_metric *m, const json_t *params, const char *where, tern_error *e) {
  if (m->check != NULL) return m->check(params, where, e);
  const char *key = json_object_iter_key(json_object_iter((json_t *)params));
  if (key == NULL) return 0;
  return tern_fail(e, TERN_FAILED, "%s: metric %s has no parameters; \"%s\" is there", where, m->name, key);
}
