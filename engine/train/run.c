/* The loop of a run. */
#include "engine/train/run.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "engine/base/progress.h"
#include "engine/train/log.h"

enum { RECENT = 50 };

typedef struct runner {
  const tern_run_params *p;
  tern_run_result *r;
  tern_trainer t;
  FILE *log;
  double recent[RECENT];
  char checkpoint[TERN_TRAIN_PATH + 32], best[TERN_TRAIN_PATH + 32], table[TERN_TRAIN_PATH + 32];
  tern_progress bar;
} runner;

static int open_run(runner *k, tern_error *e) {
  const tern_run_params *p = k->p;
  tern_train_config c;
  if (tern_train_config_read(&c, p->config, e) != TERN_OK) return TERN_FAILED;
  int status = TERN_OK;
  if (p->resume) {
    status = tern_trainer_load(&k->t, k->checkpoint, p->threads, p->cap, true, e);
    if (status == TERN_OK && strcmp(k->t.config.text, c.text) != 0)
      status =
          tern_fail(e, TERN_FAILED, "%s: not the configuration that %s was made with; start anew in another folder",
                    p->config, k->checkpoint);
  } else if (access(k->checkpoint, F_OK) == 0) {
    status = tern_fail(e, TERN_FAILED, "%s: is there already; --resume goes on from it, or choose another folder",
                       k->checkpoint);
  } else {
    status = tern_trainer_open(&k->t, &c, p->threads, p->cap, e);
  }
  tern_train_config_close(&c);
  if (status == TERN_OK) status = tern_log_open(&k->log, k->table, k->t.step, e);
  return status;
}

/* Mean loss of the last steps. */
static double recent_loss(const runner *k) {
  const int steps = k->t.step - k->r->first, count = steps < RECENT ? steps : RECENT;
  double sum = 0;
  for (int i = 0; i < count; i++) sum += k->recent[i];
  return count ? sum / count : NAN;
}

static void note(const runner *k, const char *what) {
  const tern_run_result *r = k->r;
  const double rate = r->tokens / r->seconds, left = (k->t.config.steps - k->t.step) * r->seconds;
  if (!k->p->notes) return;
  fprintf(k->p->notes, "step %d of %d: loss %.4f", k->t.step, k->t.config.steps, recent_loss(k));
  if (!isnan(r->held)) fprintf(k->p->notes, ", last evaluation %.4f", r->held);
  fprintf(k->p->notes, ", %.0f tokens/s, %.1f min left%s\n", rate, left / (k->t.step - r->first) / 60, what);
  fflush(k->p->notes);
}

static int save(runner *k, tern_error *e) {
  if (fflush(k->log) != 0) return tern_fail_errno(e, "%s: cannot write", k->table);
  return tern_checkpoint_write(&k->t, k->checkpoint, e);
}

static bool due(int every, int step) {
  return every > 0 && step % every == 0;
}

static int held_loss(runner *k, double *loss, tern_error *e) {
  tern_train_score s;
  if (tern_trainer_score(&k->t, &k->t.held, -1, &s, e) != TERN_OK) return TERN_FAILED;
  *loss = s.weight > 0 ? s.loss / s.weight : NAN;
  return TERN_OK;
}

/* What is tuned is evaluated before the first step. */
static int evaluate_base(runner *k, tern_error *e) {
  tern_trainer *t = &k->t;
  if (t->step > 0 || !t->config.from[0] || !t->held.documents) return TERN_OK;
  if (held_loss(k, &t->watch.base, e) != TERN_OK) return TERN_FAILED;
  if (k->p->notes) fprintf(k->p->notes, "before training: evaluation %.4f\n", t->watch.base);
  return TERN_OK;
}

static int evaluate(runner *k, tern_error *e) {
  tern_train_watch *w = &k->t.watch;
  if (held_loss(k, &k->r->held, e) != TERN_OK) return TERN_FAILED;
  if (!(k->r->held < w->best)) {
    w->waits++;
    return TERN_OK;
  }
  w->best = k->r->held;
  w->best_step = (uint64_t)k->t.step;
  w->waits = 0;
  return k->t.config.patience ? tern_checkpoint_write(&k->t, k->best, e) : TERN_OK;
}

static bool waited_enough(const runner *k) {
  return k->t.config.patience > 0 && k->t.watch.waits >= (uint64_t)k->t.config.patience;
}

static int one_step(runner *k, bool *held, tern_error *e) {
  const tern_train_config *c = &k->t.config;
  tern_train_step s;
  const double start = tern_now();
  if (tern_trainer_step(&k->t, &s, e) != TERN_OK) return TERN_FAILED;
  k->r->seconds += tern_now() - start;
  k->r->tokens += (double)s.tokens;
  k->recent[(k->t.step - k->r->first - 1) % RECENT] = s.loss;
  const bool last = k->t.step == c->steps;
  *held = k->t.held.documents && (last || due(c->eval_every, k->t.step));
  if (*held && evaluate(k, e) != TERN_OK) return TERN_FAILED;
  tern_log_put(k->log, k->t.step, &s, k->r->tokens, k->r->seconds, *held ? k->r->held : NAN);
  tern_progress_update(&k->bar, k->t.step - k->r->first);
  return TERN_OK;
}

static int go(runner *k, tern_error *e) {
  const tern_train_config *c = &k->t.config;
  const int end = k->p->stop > 0 && k->p->stop < c->steps ? k->p->stop : c->steps;
  int status = TERN_OK;
  while (k->t.step < end && status == TERN_OK && !waited_enough(k) && !tern_interrupted()) {
    bool held = false;
    status = one_step(k, &held, e);
    const bool keep = status == TERN_OK && due(c->checkpoint_every, k->t.step) && k->t.step != end;
    if (keep) status = save(k, e);
    if (status == TERN_OK && (held || keep)) note(k, keep ? ", checkpoint written" : "");
  }
  if (status != TERN_OK) return status;
  if (save(k, e) != TERN_OK) return TERN_FAILED;
  if (k->t.step >= end || waited_enough(k)) return TERN_OK;
  return tern_fail(e, TERN_INTERRUPTED, "interrupted at step %d of %d; --resume goes on from there", k->t.step,
                   c->steps);
}

int tern_train_run(const tern_run_params *p, tern_run_result *r, tern_error *e) {
  runner k = {.p = p, .r = r};
  *r = (tern_run_result){.loss = NAN, .held = NAN};
  if (strlen(p->folder) >= TERN_TRAIN_PATH) return tern_fail(e, TERN_FAILED, "%.80s...: path too long", p->folder);
  snprintf(k.checkpoint, sizeof k.checkpoint, "%s/%s", p->folder, TERN_TRAIN_CHECKPOINT);
  snprintf(k.best, sizeof k.best, "%s/%s", p->folder, TERN_TRAIN_BEST);
  snprintf(k.table, sizeof k.table, "%s/%s", p->folder, TERN_TRAIN_LOG);
  if (tern_directory_make(p->folder, e) != TERN_OK) return TERN_FAILED;
  int status = open_run(&k, e);
  if (status == TERN_OK) {
    const tern_net *n = &k.t.net;
    r->first = k.t.step;
    r->documents = k.t.data.documents;
    r->cut = k.t.data.cut;
    for (int i = 0; i < n->param_count; i++) {
      r->parameters += (size_t)n->params[i].rows * (size_t)n->params[i].cols;
      if (n->params[i].part) r->adapters += (size_t)n->params[i].rows * (size_t)n->params[i].cols;
      if (n->params[i].matrix) r->matrices += (size_t)n->params[i].rows * (size_t)n->params[i].cols;
    }
    tern_progress_start(&k.bar, "training", k.t.config.steps - k.t.step);
    status = evaluate_base(&k, e);
    if (status == TERN_OK) status = go(&k, e);
    tern_progress_end(&k.bar);
    r->steps = k.t.step;
    r->watch = k.t.watch;
    r->stopped = waited_enough(&k) && k.t.step < k.t.config.steps;
    r->finished = r->stopped || k.t.step == k.t.config.steps;
    r->loss = recent_loss(&k);
    r->flops = tern_net_flops(n, r->tokens);
  }
  if (k.log && fclose(k.log) != 0 && status == TERN_OK) status = tern_fail_errno(e, "%s: cannot write", k.table);
  tern_trainer_close(&k.t);
  return status;
}
