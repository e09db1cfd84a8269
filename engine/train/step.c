/* A step, and scoring, as team jobs. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/train/trainer.h"

typedef struct job {
  tern_trainer *t;
  atomic_int weight, slice; /* next of each */
  bool learn;
  double *entropies; /* scoring: [batch tokens] a slice's after the others' */
  tern_adamw adam;
  double decay;
  tern_train_step *out;
  bool bad;
} job;

static tern_train_pass pass_of(const job *j, int slice) {
  tern_trainer *t = j->t;
  return (tern_train_pass){.n = &t->net,
                           .s = &t->batch.slices[slice],
                           .grads = j->learn ? t->grads[slice] : NULL,
                           .dropout = j->learn ? t->config.dropout : 0,
                           .seed = (uint64_t)t->config.seed,
                           .stream = (uint64_t)t->step * (uint64_t)t->config.slices + (uint64_t)slice};
}

static void run_slices(job *j, int member) {
  tern_trainer *t = j->t;
  for (int i = atomic_fetch_add(&j->slice, 1); i < t->batch.count; i = atomic_fetch_add(&j->slice, 1)) {
    tern_train_pass p = pass_of(j, i);
    if (j->entropies) {
      size_t before = 0;
      for (int k = 0; k < i; k++) before += (size_t)t->batch.slices[k].tokens;
      p.entropies = j->entropies + before;
    }
    tern_pass_run(&p, t->desks[member]);
    t->losses[i] = p.loss;
  }
}

/* Adds the slices' gradients up in their order, into the first. */
static void add_gradients(const tern_trainer *t, int lo, int hi) {
  for (int b = lo; b < hi; b++) {
    const tern_train_block *k = &t->blocks[b];
    for (int i = 1; i < t->config.slices; i++) t->net.vec->add(t->grads[0] + k->at, t->grads[i] + k->at, k->size);
    t->squares[b] = (double)t->net.vec->sum_squares(t->grads[0] + k->at, k->size);
  }
}

/* Member 0's part: loss and norm, and whether to go on. */
static void judge(job *j) {
  tern_trainer *t = j->t;
  double loss = 0, squares = 0;
  for (int i = 0; i < t->batch.count; i++) loss += t->losses[i];
  for (int b = 0; b < t->block_count; b++) squares += t->squares[b];
  const double norm = sqrt(squares), clip = t->config.clip;
  j->out->loss = loss;
  j->out->norm = norm;
  j->bad = !isfinite(loss) || !isfinite(norm);
  j->adam.clip = clip > 0 && norm > clip ? (float)(clip / norm) : 1;
}

static void update(const job *j, int lo, int hi) {
  const tern_trainer *t = j->t;
  for (int b = lo; b < hi; b++) {
    const tern_train_block *k = &t->blocks[b];
    tern_adamw a = j->adam;
    a.keep = k->decays ? (float)(1 - j->out->rate * j->decay) : 1;
    t->net.grad->adamw(t->net.w + k->at, t->m + k->at, t->v + k->at, t->grads[0] + k->at, k->size, &a);
  }
}

static void run_step(void *arg, int member, int size) {
  job *j = arg;
  tern_trainer *t = j->t;
  int lo, hi;
  tern_net_prepare(&t->net, &j->weight);
  tern_team_barrier(t->team);
  run_slices(j, member);
  if (!j->learn) return;
  tern_team_barrier(t->team);
  tern_split(t->block_count, 1, member, size, &lo, &hi);
  add_gradients(t, lo, hi);
  tern_team_barrier(t->team);
  if (member == 0) judge(j);
  tern_team_barrier(t->team);
  if (!j->bad) update(j, lo, hi);
}

static bool finite_array(const float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) return false;
  }
  return true;
}

/* Goes over the step's slices again to say where it went wrong. */
static int explain(const job *j, tern_error *e) {
  const tern_trainer *t = j->t;
  const tern_net *n = &t->net;
  for (int i = 0; i < n->param_count; i++) {
    const tern_param *p = &n->params[i];
    if (!finite_array(n->w + p->at, (size_t)p->rows * (size_t)p->cols))
      return tern_fail(e, TERN_FAILED, "step %d: weights of %s are not finite numbers", t->step + 1, p->name);
  }
  for (int i = 0; i < t->batch.count; i++) {
    tern_train_pass p = pass_of(j, i);
    p.grads = NULL; /* the first slice's hold the sum */
    p.trace = true;
    tern_pass_run(&p, t->desks[0]);
    if (p.fault[0])
      return tern_fail(e, TERN_FAILED,
                       "step %d: the loss is not a number: first in the output of %s; the last checkpoint is kept "
                       "(try a lower train.lr or train.clip)",
                       t->step + 1, p.fault);
  }
  for (int i = 0; i < n->param_count; i++) {
    const tern_param *p = &n->params[i];
    if (tern_param_learns(n, i) && !finite_array(t->grads[0] + p->at, (size_t)p->rows * (size_t)p->cols))
      return tern_fail(
          e, TERN_FAILED,
          "step %d: the gradient of %s is not a number; the last checkpoint is kept (try a lower train.lr)",
          t->step + 1, p->name);
  }
  return tern_fail(e, TERN_FAILED, "step %d: the gradient is too large for a float; the last checkpoint is kept",
                   t->step + 1);
}

int tern_trainer_step(tern_trainer *t, tern_train_step *out, tern_error *e) {
  const tern_train_config *c = &t->config;
  job j = {.t = t, .learn = true, .out = out};
  if (tern_batch_next(&t->batch, &t->data, &t->order, &t->cursor, (uint64_t)c->seed, c->batch_tokens, e) != TERN_OK)
    return TERN_FAILED;
  *out = (tern_train_step){.tokens = t->batch.tokens};
  tern_train_schedule(c, t->step, &out->rate, &j.decay);
  const double done = t->step + 1;
  j.adam = (tern_adamw){.rate = (float)out->rate,
                        .beta1 = (float)c->beta1,
                        .beta2 = (float)c->beta2,
                        .eps = (float)c->eps,
                        .m_fix = (float)(1 / (1 - (c->beta1 > 0 ? tern_exp(done * tern_log(c->beta1)) : 0))),
                        .v_fix = (float)(1 / (1 - (c->beta2 > 0 ? tern_exp(done * tern_log(c->beta2)) : 0)))};
  tern_team_run(t->team, run_step, &j);
  if (j.bad) return explain(&j, e);
  t->step++;
  return TERN_OK;
}

/* Adds what the batch's tokens say; chosen[] holds its documents in the slices' order. */
static void add_scores(const tern_trainer *t, const double *entropies, tern_train_score *out) {
  for (int i = 0; i < t->batch.count; i++) {
    const tern_train_slice *s = &t->batch.slices[i];
    for (int k = 0; k < s->tokens; k++, entropies++) {
      const double weight = (double)s->weights[k] * t->batch.weight;
      if (weight <= 0) continue;
      out->tokens++;
      out->weight += weight;
      out->loss += weight * *entropies;
      if (weight < 1 - 1e-6) continue;
      out->completions++;
      out->entropy += *entropies;
    }
  }
}

int tern_trainer_score(tern_trainer *t, const tern_dataset *d, int file, tern_train_score *out, tern_error *e) {
  double *entropies = calloc((size_t)t->config.batch_tokens + (size_t)t->config.context, sizeof *entropies);
  *out = (tern_train_score){0};
  if (!entropies) return tern_fail(e, TERN_FAILED, "scoring: out of memory");
  for (size_t next = 0; next < d->documents;) {
    job j = {.t = t, .entropies = entropies};
    next = tern_batch_plain(&t->batch, d, file, next, t->config.batch_tokens);
    tern_team_run(t->team, run_step, &j);
    add_scores(t, entropies, out);
  }
  free(entropies);
  return TERN_OK;
}
