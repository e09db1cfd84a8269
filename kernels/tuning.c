/* Choices from a table of times. */
#include "kernels/tuning.h"

/* A new winner must be this much better than what is taken without times. */
static const double MARGIN = 0.98;

static const struct { int most, timed; } classes[TERN_BATCH_CLASSES] = {{1, 1}, {16, 8}, {INT32_MAX, 128}};

const char *tern_place_name(tern_place place) {
  return place == TERN_PLACE_DRAM ? "dram" : "cache";
}

int tern_batch_class(int tokens) {
  int c = 0;
  while (tokens > classes[c].most) c++;
  return c;
}

int tern_batch_timed(int batch_class) {
  return classes[batch_class].timed;
}

/* The least team that was timed and is not smaller, else the greatest. */
static int timed_threads(const tern_tuning *t, int threads) {
  int above = 0, greatest = 0;
  for (int i = 0; i < t->count; i++) {
    const int n = t->rows[i].threads;
    if (n >= threads && (!above || n < above)) above = n;
    if (n > greatest) greatest = n;
  }
  return above ? above : greatest;
}

static tern_place place_of(const tern_tuning *t, const tern_situation *s) {
  return s->bytes > t->cache ? TERN_PLACE_DRAM : TERN_PLACE_CACHE;
}

/* Time of a kernel in the situation; 0: not timed. */
static double time_of(const tern_tuning *t, const tern_kernel *k, int batch_class, const tern_situation *s) {
  const int threads = timed_threads(t, s->threads);
  for (int i = 0; i < t->count; i++) {
    const tern_tuning_row *r = &t->rows[i];
    if (r->kernel == k && r->batch_class == batch_class && r->threads == threads && r->place == place_of(t, s))
      return r->ps;
  }
  return 0;
}

tern_choice tern_choose_kernels(const tern_tuning *tuning, const tern_layout *layout, const tern_situation *s) {
  tern_choice c = {.layout = layout};
  const tern_kernel *usual = tern_kernel_find(layout, s->cap);
  for (int b = 0; b < TERN_BATCH_CLASSES; b++) {
    c.kernels[b] = usual;
    double least = tuning ? MARGIN * time_of(tuning, usual, b, s) : 0;
    if (!(least > 0)) continue;
    c.tuned = true;
    for (const tern_kernel *const *k = tern_kernels(); *k; k++) {
      if ((*k)->layout != layout || (*k)->isa > s->cap || !tern_isa_usable((*k)->isa)) continue;
      const double ps = time_of(tuning, *k, b, s);
      if (!(ps > 0 && ps < least)) continue;
      least = ps;
      c.kernels[b] = *k;
    }
  }
  return c;
}

/* Product of a choice's times with one and with many tokens; 0: not timed. */
static double cost_of(const tern_tuning *t, const tern_choice *c, const tern_situation *s) {
  const int many = TERN_BATCH_CLASSES - 1;
  return time_of(t, c->kernels[0], 0, s) * time_of(t, c->kernels[many], many, s);
}

tern_choice tern_choose_layout(const tern_tuning *tuning, const tern_layout *usual, const tern_situation *s) {
  tern_choice best = tern_choose_kernels(tuning, usual, s);
  double least = tuning ? MARGIN * cost_of(tuning, &best, s) : 0;
  if (!(least > 0)) return best;
  for (const tern_layout *const *l = tern_layouts(); *l; l++) {
    if ((*l)->kind != usual->kind || *l == usual) continue;
    const tern_choice other = tern_choose_kernels(tuning, *l, s);
    const double cost = cost_of(tuning, &other, s);
    if (!(cost > 0 && cost < least)) continue;
    least = cost;
    best = other;
  }
  return best;
}
