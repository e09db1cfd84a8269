/* Loading: plan, memory check, then every tensor packed in the file's order of
 * layers, its file pages given back at once, so that no second copy stays. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/model/parts.h"

typedef struct loader {
  const tern_gguf *g;
  const tern_plan *plan;
  tern_packer *packer;
  tern_model *model;
  float *next_norm; /* where the next gain goes */
  bool progress;
  tern_progress bar;
  double done;
} loader;

static int check_memory(const tern_gguf *g, const tern_plan *plan, tern_error *e) {
  size_t need = tern_plan_bytes(plan), have = tern_memory_available();
  if (need <= have) return 0;
  return tern_fail(e, TERN_FAILED, "%s: needs %.2f GB of memory as %s with a %s head, %.2f GB are available",
                   tern_gguf_name(g), (double)need * 1e-9, plan->body->name, plan->head->name, (double)have * 1e-9);
}

static int finish_tensor(loader *l, const tern_gguf_tensor *t, tern_error *e) {
  l->done += (double)t->bytes;
  if (l->progress) tern_progress_update(&l->bar, l->done);
  return tern_interrupt_check(e);
}

/* A gain or a bias; t NULL: none. */
static int load_vector(loader *l, const tern_gguf_tensor *t, float **out, tern_error *e) {
  if (!t) return 0;
  int n = (int)t->shape[0];
  t->type->row_floats(t->data, 1, n, 0, l->plan->i2s, l->next_norm);
  for (int i = 0; i < n; i++) {
    if (isfinite(l->next_norm[i])) continue;
    return tern_fail(e, TERN_FAILED, "%s: tensor %s holds a value that is not finite", tern_gguf_name(l->g), t->name);
  }
  *out = l->next_norm;
  l->next_norm += tern_gain_size(n);
  return finish_tensor(l, t, e);
}

/* Factor of a projection's X.scale tensor, 1 without one. */
static int read_factor(loader *l, int layer, const char *name, float *factor, tern_error *e) {
  *factor = 1;
  const tern_gguf_tensor *t = tern_plan_tensor(l->plan, l->g, layer, name, "scale");
  if (!t) return 0;
  t->type->row_floats(t->data, 1, 1, 0, l->plan->i2s, factor);
  if (isfinite(*factor)) return 0;
  return tern_fail(e, TERN_FAILED, "%s: tensor %s is not finite", tern_gguf_name(l->g), t->name);
}

static int load_projection(loader *l, int layer, int i, tern_error *e) {
  tern_layer *to = &l->model->layers[layer];
  const char *name = tern_projection_forms[i].name;
  const tern_gguf_tensor *t = tern_plan_tensor(l->plan, l->g, layer, name, "weight");
  tern_matrix *m = &to->w[i];
  float factor;
  if (read_factor(l, layer, name, &factor, e)) return (int)e->status;
  if (tern_pack_matrix(l->packer, m, l->plan->body, t, factor, e)) return (int)e->status;
  l->model->facts.body_bytes += m->bytes + m->scale_bytes;
  tern_gguf_tensor_done(l->g, t);
  if (finish_tensor(l, t, e)) return (int)e->status;
  return load_vector(l, tern_plan_bias(l->plan, l->g, layer, i), &to->biases[i], e);
}

static int load_layer(loader *l, int layer, tern_error *e) {
  tern_layer *to = &l->model->layers[layer];
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    if (load_projection(l, layer, i, e)) return (int)e->status;
  }
  for (int i = 0; i < TERN_NORMS; i++) {
    if (load_vector(l, tern_plan_norm(l->plan, l->g, layer, i), &to->norms[i], e)) return (int)e->status;
  }
  to->local = tern_layer_is_local(&l->model->facts, layer);
  to->inputs[0] = to->norms[TERN_NORM_Q_IN] || to->norms[TERN_NORM_K_IN] || to->norms[TERN_NORM_V_IN];
  to->inputs[1] = to->norms[TERN_NORM_GATE_IN] || to->norms[TERN_NORM_UP_IN];
  return 0;
}

static int load_table(loader *l, const char *name, tern_matrix *m, tern_error *e) {
  const tern_gguf_tensor *t = tern_gguf_tensor_find(l->g, name);
  if (tern_pack_matrix(l->packer, m, l->plan->head, t, 1, e)) return (int)e->status;
  tern_gguf_tensor_done(l->g, t);
  return finish_tensor(l, t, e);
}

/* The output head, the embedding where it is another tensor, the scan copy. */
static int load_ends(loader *l, tern_error *e) {
  tern_model *m = l->model;
  if (load_table(l, l->plan->own_head ? "output.weight" : "token_embd.weight", &m->head, e)) return (int)e->status;
  m->facts.head_bytes = m->head.bytes + m->head.scale_bytes;
  if (l->plan->own_head) {
    if (load_table(l, "token_embd.weight", &m->embedding, e)) return (int)e->status;
    m->facts.embedding_bytes = m->embedding.bytes + m->embedding.scale_bytes;
  }
  if (l->plan->exact_head) {
    if (tern_pack_scan(l->packer, &m->scan, &m->head, e)) return (int)e->status;
    m->facts.scan_bytes = m->scan.matrix.bytes + m->scan.matrix.scale_bytes + 2 * m->scan.bound_bytes;
  }
  return 0;
}

static int load_all(loader *l, tern_error *e) {
  tern_model *m = l->model;
  float *output_norm;
  if (load_vector(l, tern_gguf_tensor_find(l->g, "output_norm.weight"), &output_norm, e)) return (int)e->status;
  for (int i = 0; i < m->facts.hidden; i++) output_norm[i] *= (float)m->facts.logit_scale;
  for (int i = 0; i < m->facts.layers; i++) {
    if (load_layer(l, i, e)) return (int)e->status;
  }
  int64_t zeros = tern_packer_zeros(l->packer);
  if (m->facts.ternary) m->facts.zero_share = (double)zeros / (double)m->facts.body_weights;
  return load_ends(l, e);
}

int tern_model_load(tern_model **out, const tern_gguf *g, const tern_model_params *p, tern_team *team, tern_error *e) {
  tern_plan plan;
  loader l = {.g = g, .plan = &plan, .progress = p->progress};
  *out = NULL;
  if (tern_plan_make(&plan, g, p, e) || check_memory(g, &plan, e)) return TERN_FAILED;
  tern_model *m = calloc(1, sizeof *m);
  if (!m) return tern_fail(e, TERN_FAILED, "model: out of memory");
  l.model = m;
  m->facts = plan.facts;
  m->facts.body_bytes = 0; /* counted anew: scales may turn out to be shared */
  m->vec = tern_vec_find(p->isa_cap);
  m->layers_bytes = (size_t)m->facts.layers * sizeof(tern_layer);
  m->norms_bytes = m->facts.norm_bytes;
  m->layers = tern_alloc(m->layers_bytes, "layers", e);
  m->norms = m->layers ? tern_alloc(m->norms_bytes, "norm gains", e) : NULL;
  if (!m->norms || tern_rope_make(m, g, e) || tern_pool_open(&m->weights, tern_plan_pool(&plan), "weights", e) ||
      tern_packer_open(&l.packer, g, &plan, team, &m->weights, e))
    goto failed;
  l.next_norm = m->norms;
  if (l.progress) tern_progress_start(&l.bar, "loading", (double)tern_gguf_size(g));
  if (load_all(&l, e)) goto failed;
  *out = m;

failed:
  if (l.progress && l.packer) tern_progress_end(&l.bar);
  tern_packer_close(l.packer);
  if (*out) return 0;
  tern_model_close(m);
  return (int)e->status;
}

void tern_model_close(tern_model *m) {
  if (!m) return;
  for (int i = 0; m->layers && i < m->facts.layers; i++) {
    for (int k = 0; k < TERN_PROJECTIONS; k++) tern_matrix_free(&m->layers[i].w[k], &m->weights);
  }
  tern_matrix_free(&m->head, &m->weights);
  tern_matrix_free(&m->embedding, &m->weights);
  tern_matrix_free(&m->scan.matrix, &m->weights);
  tern_pool_close(&m->weights);
  tern_rope_free(m);
  tern_free(m->scan.error, m->scan.bound_bytes);
  tern_free(m->scan.norm, m->scan.bound_bytes);
  tern_free(m->norms, m->norms_bytes);
  tern_free(m->layers, m->layers_bytes);
  free(m);
}

const tern_model_facts *tern_model_describe(const tern_model *m) {
  return &m->facts;
}
