/* Tuning: the candidates of a kind of weights side by side. */
#include "harness/kernel_tune.h"

#include <math.h>

#include "engine/base/interrupt.h"
#include "engine/base/team.h"
#include "harness/kernel_stand.h"

enum { ROUNDS = 5, MOST_LAYOUTS = 8, MOST_CANDIDATES = 32 };

/* The matrix that stands for all: square and small enough for a core's own
 * cache at two bits a weight; the usual size of a published model's. */
static const int sizes[TERN_PLACES][2] = {[TERN_PLACE_CACHE] = {1024, 1024}, [TERN_PLACE_DRAM] = {3072, 2560}};

typedef struct candidate {
  const tern_kernel *kernel;
  tern_stand *stand;
  double least;
} candidate;

typedef struct field {
  tern_stand stands[MOST_LAYOUTS];
  int stand_count;
  candidate candidates[MOST_CANDIDATES];
  int count;
} field;

static void field_close(field *f) {
  for (int i = 0; i < f->stand_count; i++) tern_stand_close(&f->stands[i]);
  f->stand_count = 0;
}

/* Kernels of the kind in the place, scalar ones only where they are all there is. */
static int field_open(field *f, tern_weight_kind kind, tern_place place, const tern_tune_ask *ask, tern_error *e) {
  *f = (field){0};
  const bool only_scalar = tern_isa_best(TERN_ISA_COUNT) == TERN_ISA_SCALAR;
  const int threads = ask->teams[ask->team_count - 1], tokens = tern_batch_timed(TERN_BATCH_CLASSES - 1);
  for (const tern_layout *const *l = tern_layouts(); *l; l++) {
    if ((*l)->kind != kind || f->stand_count == MOST_LAYOUTS) continue;
    tern_stand *s = &f->stands[f->stand_count];
    if (tern_stand_open(s, *l, sizes[place][0], sizes[place][1], tokens, threads, ask->seed, e)) return (int)e->status;
    f->stand_count++;
    for (const tern_kernel *const *k = tern_kernels(); *k; k++) {
      if ((*k)->layout != *l || !tern_isa_usable((*k)->isa) || f->count == MOST_CANDIDATES) continue;
      if ((*k)->isa != TERN_ISA_SCALAR || only_scalar) f->candidates[f->count++] = (candidate){*k, s, INFINITY};
    }
  }
  return 0;
}

static int time_all(field *f, tern_team *team, int tokens, tern_place place, double seconds, tern_error *e) {
  for (int i = 0; i < f->count; i++) f->candidates[i].least = INFINITY;
  for (int round = 0; round < ROUNDS; round++) {
    if (tern_interrupt_check(e)) return (int)e->status;
    for (int i = 0; i < f->count; i++) {
      candidate *c = &f->candidates[i];
      const double s = tern_stand_time(c->stand, team, c->kernel, tokens, place, seconds / ROUNDS);
      if (s < c->least) c->least = s;
    }
  }
  return 0;
}

static int tune_team(tern_tuning *t, field *f, const tern_tune_ask *ask, int threads, tern_place place, tern_error *e) {
  tern_team *team;
  if (tern_team_open(&team, threads, ask->cpus, e)) return (int)e->status;
  const double weights = (double)sizes[place][0] * sizes[place][1];
  for (int b = 0; b < TERN_BATCH_CLASSES && !e->status; b++) {
    const int tokens = tern_batch_timed(b);
    if (time_all(f, team, tokens, place, ask->seconds, e)) break;
    for (int i = 0; i < f->count && t->count < TERN_TUNING_ROWS; i++)
      t->rows[t->count++] = (tern_tuning_row){.kernel = f->candidates[i].kernel,
                                              .place = place,
                                              .threads = threads,
                                              .batch_class = b,
                                              .ps = f->candidates[i].least * 1e12 / (weights * tokens)};
  }
  tern_team_close(team);
  return (int)e->status;
}

int tern_kernel_tune(tern_tuning *t, const tern_tune_ask *ask, tern_error *e) {
  static const tern_weight_kind kinds[] = {TERN_KIND_TERNARY, TERN_KIND_INT8, TERN_KIND_FLOAT};
  field f;
  t->cache = ask->cache;
  t->count = 0;
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds && !e->status; k++)
    for (int place = 0; place < TERN_PLACES && !e->status; place++) {
      if (!field_open(&f, kinds[k], (tern_place)place, ask, e))
        for (int i = 0; i < ask->team_count && !e->status; i++)
          tune_team(t, &f, ask, ask->teams[i], (tern_place)place, e);
      field_close(&f);
    }
  return (int)e->status;
}

static double ps_of(const tern_tuning *t, const tern_kernel *k, tern_place place, int threads, int batch_class) {
  for (int i = 0; i < t->count; i++) {
    const tern_tuning_row *r = &t->rows[i];
    if (r->kernel == k && r->place == place && r->threads == threads && r->batch_class == batch_class) return r->ps;
  }
  return (double)NAN;
}

void tern_tune_print(const tern_tuning *t, const tern_tune_ask *ask, FILE *out) {
  for (int place = 0; place < TERN_PLACES; place++)
    for (int i = 0; i < ask->team_count; i++) {
      const tern_situation s = {
          .cap = TERN_ISA_COUNT, .threads = ask->teams[i], .bytes = place == TERN_PLACE_DRAM ? t->cache + 1 : 0};
      const tern_layout *best = tern_choose_layout(t, &tern_layout_t2, &s).layout;
      for (const tern_layout *const *l = tern_layouts(); *l; l++) {
        const tern_choice c = tern_choose_kernels(t, *l, &s);
        if (!c.tuned) continue;
        fprintf(out, "%-5s %2d threads %-5s", tern_place_name((tern_place)place), s.threads, (*l)->name);
        for (int b = 0; b < TERN_BATCH_CLASSES; b++)
          fprintf(out, "  %3d: %-16s %6.3f ps", tern_batch_timed(b), c.kernels[b]->name,
                  ps_of(t, c.kernels[b], (tern_place)place, s.threads, b));
        fprintf(out, "%s\n", *l == best ? "  auto" : "");
      }
    }
}
