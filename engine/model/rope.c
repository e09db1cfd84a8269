/* RoPE's rates: theta^(-2i/d), changed by what a file says of scaling.
 *   linear  all rates / factor
 *   yarn    rates of few rotations within the trained context / factor, of many
 *           as they are, a ramp between; cos and sin * (1 + 0.1 ln factor)
 *   llama3  long waves / factor, short as they are, a ramp between
 * and divided by the numbers of a rope_freqs.weight tensor (how llama.cpp's
 * converter writes the third). Local layers' rates are never scaled. Sources:
 * arXiv 2309.00071; llama.cpp's ggml_rope_ext and converter; transformers'
 * modeling_rope_utils. */
#include <math.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/model/parts.h"

static const char factors_name[] = "rope_freqs.weight";

static int read_kind(tern_rope_scaling *s, tern_keys *k, tern_error *e) {
  static const struct {
    const char *name;
    tern_rope_scaled kind;
  } kinds[] = {
      {"none", TERN_ROPE_PLAIN}, {"linear", TERN_ROPE_LINEAR}, {"yarn", TERN_ROPE_YARN}, {"llama3", TERN_ROPE_LLAMA3}};
  tern_gguf_string text;
  s->kind = TERN_ROPE_LINEAR; /* what a factor alone means */
  if (!tern_gguf_text(k->g, tern_key(k, "rope.scaling.type"), &text)) return 0;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    s->kind = kinds[i].kind;
    if (strlen(kinds[i].name) == text.size && memcmp(kinds[i].name, text.data, text.size) == 0) return 0;
  }
  return tern_fail(e, TERN_FAILED, "%s: RoPE scaling \"%.*s\" is not supported (none, linear, yarn and llama3 are)",
                   tern_gguf_name(k->g), (int)(text.size < 32 ? text.size : 32), text.data);
}

/* Settings of YaRN that no family here has. */
static int refuse_variants(tern_keys *k, tern_error *e) {
  static const struct {
    const char *name;
    double usual;
  } fixed[] = {{"rope.scaling.yarn_log_multiplier", 0},
               {"rope.scaling.yarn_ext_factor", 1},
               {"rope.scaling.yarn_attn_factor", 1}};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
    double v = fixed[i].usual;
    if (tern_gguf_real(k->g, tern_key(k, fixed[i].name), &v) && v != fixed[i].usual) {
      return tern_fail(e, TERN_FAILED, "%s: key %s is %g: only %g is supported", tern_gguf_name(k->g), k->key, v,
                       fixed[i].usual);
    }
  }
  return 0;
}

int tern_rope_read(tern_model_facts *f, tern_keys *k, tern_error *e) {
  tern_rope_scaling *s = &f->rope_scaling;
  if (tern_key_real(k, "rope.freq_base", 1, 1e12, 10000, &f->rope_theta, e)) return TERN_FAILED;
  if (tern_key_real(k, "rope.freq_base_swa", 1, 1e12, 10000, &f->rope_theta_local, e)) return TERN_FAILED;
  if (read_kind(s, k, e) || tern_key_real(k, "rope.scaling.factor", 0, 1e6, 0, &s->factor, e)) return TERN_FAILED;
  if (s->factor == 0) s->factor = 1;
  if (s->factor == 1 && s->kind != TERN_ROPE_YARN) s->kind = TERN_ROPE_PLAIN;
  if (s->kind == TERN_ROPE_PLAIN || s->kind == TERN_ROPE_LINEAR) return 0;
  if (tern_key_integer(k, "rope.scaling.original_context_length", 1, f->context, f->context, &s->trained, e))
    return TERN_FAILED;
  if (s->kind == TERN_ROPE_LLAMA3) {
    if (tern_key_real(k, "rope.scaling.low_freq_factor", 1e-3, 1e3, 1, &s->low_freq, e)) return TERN_FAILED;
    if (tern_key_real(k, "rope.scaling.high_freq_factor", 1e-3, 1e3, 4, &s->high_freq, e)) return TERN_FAILED;
    if (s->high_freq > s->low_freq) return 0;
    return tern_fail(e, TERN_FAILED, "%s: key %s is %g, want more than the low one's %g", tern_gguf_name(k->g), k->key,
                     s->high_freq, s->low_freq);
  }
  if (s->factor < 1) return tern_fail(e, TERN_FAILED, "%s: YaRN by less than 1 is not supported", tern_gguf_name(k->g));
  if (refuse_variants(k, e)) return TERN_FAILED;
  if (tern_key_real(k, "rope.scaling.yarn_beta_fast", 1e-3, 1e6, 32, &s->fast, e)) return TERN_FAILED;
  if (tern_key_real(k, "rope.scaling.yarn_beta_slow", 1e-3, 1e6, 1, &s->slow, e)) return TERN_FAILED;
  return tern_key_real(k, "rope.scaling.attn_factor", 1e-3, 1e3, 1, &s->size, e);
}

static double plain_rate(double theta, int i, int rotated) {
  return tern_exp(-tern_log(theta) * (2.0 * i / rotated));
}

/* The pair that makes `rotations` turns within the trained context. */
static double pair_of(const tern_model_facts *f, double rotations) {
  const double pi = 3.14159265358979323846;
  return f->rotated * tern_log(f->rope_scaling.trained / (rotations * 2 * pi)) / (2 * tern_log(f->rope_theta));
}

/* Share of the plain rate, the rest is of the rate / factor. */
static double plain_share(const tern_model_facts *f, int i, double rate) {
  const tern_rope_scaling *s = &f->rope_scaling;
  double share = 0;
  if (s->kind == TERN_ROPE_YARN) {
    double low = fmax(0, floor(pair_of(f, s->fast))), high = fmin(f->rotated - 1, ceil(pair_of(f, s->slow)));
    share = 1 - (i - low) / fmax(0.001, high - low);
  } else if (s->kind == TERN_ROPE_LLAMA3) { /* rate * trained / 2 pi: turns within the trained context */
    const double pi = 3.14159265358979323846;
    share = (rate * s->trained / (2 * pi) - s->low_freq) / (s->high_freq - s->low_freq);
  }
  return fmin(1, fmax(0, share));
}

static int divide_by_factors(tern_model *m, const tern_gguf *g, tern_error *e) {
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, factors_name);
  int half = m->facts.rotated / 2;
  if (!t) return 0;
  float *factors = tern_alloc((size_t)half * sizeof(float), "RoPE factors", e);
  if (!factors) return TERN_FAILED;
  t->type->row_floats(t->data, 1, half, 0, TERN_I2S_AUTO, factors);
  int bad = -1;
  for (int i = 0; i < half && bad < 0; i++) {
    if (!(isfinite(factors[i]) && factors[i] > 0)) bad = i;
    m->rope[0].rates[i] /= factors[i];
  }
  if (bad >= 0) {
    tern_fail(e, TERN_FAILED, "%s: tensor %s holds %g, want numbers above 0", tern_gguf_name(g), factors_name,
              (double)factors[bad]);
  }
  tern_free(factors, (size_t)half * sizeof(float));
  return bad < 0 ? 0 : TERN_FAILED;
}

int tern_rope_make(tern_model *m, const tern_gguf *g, tern_error *e) {
  const tern_model_facts *f = &m->facts;
  const tern_rope_scaling *s = &f->rope_scaling;
  int half = f->rotated / 2;
  m->rope_bytes = (size_t)half * sizeof(double);
  for (int k = 0; k < (f->window ? 2 : 1); k++) {
    m->rope[k].size = 1;
    m->rope[k].rates = tern_alloc(m->rope_bytes, "RoPE rates", e);
    if (!m->rope[k].rates) return TERN_FAILED;
    for (int i = 0; i < half; i++)
      m->rope[k].rates[i] = plain_rate(k ? f->rope_theta_local : f->rope_theta, i, f->rotated);
  }
  for (int i = 0; i < half && s->kind != TERN_ROPE_PLAIN; i++) {
    double rate = m->rope[0].rates[i], share = plain_share(f, i, rate);
    m->rope[0].rates[i] = share * rate + (1 - share) * (rate / s->factor);
  }
  if (s->kind == TERN_ROPE_YARN) m->rope[0].size = (float)((1 + 0.1 * tern_log(s->factor)) * s->size);
  return divide_by_factors(m, g, e);
}

void tern_rope_free(tern_model *m) {
  for (int k = 0; k < 2; k++) tern_free(m->rope[k].rates, m->rope_bytes);
}

bool tern_layer_is_local(const tern_model_facts *f, int layer) {
  return f->window > 0 && layer % f->window_period != f->window_period - 1;
}
