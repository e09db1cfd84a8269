/* Backward operations against finite differences of their definition in double
 * precision, and every instruction set against plain C, bit for bit. Plain main:
 * runs under qemu-aarch64 too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "kernels/grad.h"
#include "kernels/vec.h"

enum { LONGEST = 83 };

#define FAIL(...)                                                                                                      \
  do {                                                                                                                 \
    fprintf(stderr, __VA_ARGS__);                                                                                      \
    fputc('\n', stderr);                                                                                               \
    exit(1);                                                                                                           \
  } while (0)
#define NEED(condition)                                                                                                \
  do {                                                                                                                 \
    if (!(condition)) FAIL("%s:%d: not so: %s", __FILE__, __LINE__, #condition);                                       \
  } while (0)

static float random_at(uint64_t stream, uint64_t i) {
  return (float)(2 * tern_random_unit(tern_random_at(7, stream, i)) - 1);
}

static void fill(float *x, int n, uint64_t stream) {
  for (int i = 0; i < n; i++) x[i] = random_at(stream, (uint64_t)i);
}

/* sum of dy * y, as the operation is defined. */
typedef double objective(const double *const *in, const float *dy, int n);

static double rmsnorm_value(const double *const *in, const float *dy, int n) {
  double squares = 0, sum = 0;
  for (int i = 0; i < n; i++) squares += in[0][i] * in[0][i];
  for (int i = 0; i < n; i++) sum += dy[i] * in[0][i] / sqrt(squares / n + (double)1e-5f) * in[1][i];
  return sum;
}

static double relu2_value(const double *const *in, const float *dy, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += dy[i] * (in[0][i] > 0 ? in[0][i] * in[0][i] : 0) * in[1][i];
  return sum;
}

static double silu_value(const double *const *in, const float *dy, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += dy[i] * in[0][i] / (1 + exp(-in[0][i])) * in[1][i];
  return sum;
}

static const double factor = 0.7;

static double softmax_value(const double *const *in, const float *dy, int n) {
  double total = 0, sum = 0;
  for (int i = 0; i < n; i++) total += exp(in[0][i] * factor);
  for (int i = 0; i < n; i++) sum += dy[i] * exp(in[0][i] * factor) / total;
  return sum;
}

static double entropy_value(const double *const *in, const float *dy, int n) {
  double total = 0;
  for (int i = 0; i < n; i++) total += exp(in[0][i]);
  return dy[0] * (log(total) - in[0][n / 3]);
}

static void expect_slope(objective *f, const float *x0, const float *x1, const float *dy, int n, int which,
                         const float *found) {
  double a[LONGEST], b[LONGEST];
  const double *const in[] = {a, b}, step = 1e-5;
  for (int i = 0; i < n; i++) {
    a[i] = (double)x0[i];
    b[i] = (double)x1[i];
  }
  double *moved = which ? b : a;
  for (int i = 0; i < n; i++) {
    const double at = moved[i];
    moved[i] = at + step;
    const double high = f(in, dy, n);
    moved[i] = at - step;
    const double slope = (high - f(in, dy, n)) / (2 * step);
    moved[i] = at;
    if (fabs(slope - (double)found[i]) > 3e-6 + 3e-5 * fabs(slope))
      FAIL("element %d of %d: %.9g, want %.9g", i, n, (double)found[i], slope);
  }
}

static void check_norm(const tern_grad *g, int n) {
  float x[LONGEST] = {0}, gain[LONGEST] = {0}, dy[LONGEST] = {0}, dx[LONGEST] = {0}, dgain[LONGEST] = {0};
  fill(x, n, 1), fill(gain, n, 2), fill(dy, n, 3);
  g->rmsnorm_back(dx, dgain, x, gain, dy, n, 1e-5f);
  expect_slope(rmsnorm_value, x, gain, dy, n, 0, dx);
  expect_slope(rmsnorm_value, x, gain, dy, n, 1, dgain);
  float twice[LONGEST];
  memcpy(twice, dx, sizeof twice);
  g->rmsnorm_back(twice, dgain, x, gain, dy, n, 1e-5f);
  for (int i = 0; i < n; i++) NEED(fabsf(twice[i] - 2 * dx[i]) <= 1e-5f + 1e-6f * fabsf(dx[i]));
}

static void check_gates(const tern_grad *g, int n) {
  float gate[LONGEST] = {0}, up[LONGEST] = {0}, dy[LONGEST] = {0}, dgate[LONGEST], dup[LONGEST];
  fill(gate, n, 4), fill(up, n, 5), fill(dy, n, 6);
  g->relu2_back(dgate, dup, gate, up, dy, n);
  expect_slope(relu2_value, gate, up, dy, n, 0, dgate);
  expect_slope(relu2_value, gate, up, dy, n, 1, dup);
  g->silu_back(dgate, dup, gate, up, dy, n);
  expect_slope(silu_value, gate, up, dy, n, 0, dgate);
  expect_slope(silu_value, gate, up, dy, n, 1, dup);
  g->silu_back(gate, up, gate, up, dy, n); /* in place */
  NEED(memcmp(gate, dgate, (size_t)n * sizeof *gate) == 0);
  NEED(memcmp(up, dup, (size_t)n * sizeof *up) == 0);
}

static void check_softmax(const tern_grad *g, int n) {
  float x[LONGEST] = {0}, p[LONGEST + 16], dy[LONGEST] = {0}, d[LONGEST];
  double shift = 0;
  fill(x, n, 8), fill(dy, n, 9);
  memcpy(p, x, (size_t)n * sizeof *p);
  memcpy(d, dy, sizeof d);
  const int padded = (n + 15) / 16 * 16;
  const float sum = g->softmax(p, n, padded, (float)factor);
  for (int i = n; i < padded; i++) NEED(p[i] == 0);
  for (int i = 0; i < n; i++) shift += (double)p[i] / (double)sum * (double)dy[i];
  g->softmax_back(p, d, n, 1 / sum, (float)shift, (float)factor);
  expect_slope(softmax_value, x, x, dy, n, 0, d);
}

static void check_entropy(const tern_grad *g, int n) {
  float x[LONGEST] = {0}, p[LONGEST];
  const float weight = 0.4f;
  double in[LONGEST] = {0};
  const double *const all[] = {in};
  fill(x, n, 10);
  memcpy(p, x, sizeof p);
  for (int i = 0; i < n; i++) in[i] = (double)x[i];
  const double loss = g->entropy(p, n, n / 3, weight);
  NEED(fabs((double)weight * loss - entropy_value(all, &weight, n)) < 1e-6);
  expect_slope(entropy_value, x, x, &weight, n, 0, p);
}

static void each_length(void (*check)(const tern_grad *g, int n)) {
  static const int lengths[] = {1, 15, 16, 17, 48, LONGEST};
  for (const tern_grad *const *g = tern_grads(); *g; g++) {
    if (!tern_isa_usable((*g)->isa)) continue;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) check(*g, lengths[i]);
  }
}

/* A product of m x n over k with the left side as it lies or across. */
typedef struct shape {
  int m, n, k, across, add;
} shape;

static const shape shapes[] = {{1, 1, 1, 0, 0},     {5, 16, 7, 1, 0},    {13, 64, 3, 0, 1},  {7, 70, 300, 1, 1},
                               {64, 112, 32, 0, 0}, {25, 48, 257, 1, 0}, {6, 131, 20, 0, 1}, {30, 32, 64, 1, 1}};

static void run_shape(const tern_grad *g, const shape *s, const float *a, const float *b, float *c, float *scratch) {
  const size_t a_stride = (size_t)(s->across ? s->m : s->k) + 3, b_row = (size_t)s->n + 1;
  g->dense(&(tern_dense){.a = a,
                         .a_row = s->across ? 1 : a_stride,
                         .a_col = s->across ? a_stride : 1,
                         .b = b,
                         .b_row = b_row,
                         .c = c,
                         .c_row = (size_t)s->n + 2,
                         .m = s->m,
                         .n = s->n,
                         .k = s->k,
                         .add = s->add,
                         .scratch = scratch});
}

/* The chain of fma that grad.h promises, with guards that must stay. */
static void products_are_their_chain(void) {
  enum { MOST = 40000 };
  float *a = malloc(MOST * sizeof *a), *b = malloc(MOST * sizeof *b), *c = malloc(MOST * sizeof *c);
  float *want = malloc(MOST * sizeof *want), *scratch = aligned_alloc(64, TERN_DENSE_SCRATCH * sizeof *scratch);
  NEED(a && b && c && want && scratch);
  fill(a, MOST, 11), fill(b, MOST, 12);
  for (const tern_grad *const *g = tern_grads(); *g; g++) {
    if (!tern_isa_usable((*g)->isa)) continue;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
      const shape *s = &shapes[i];
      const size_t c_row = (size_t)s->n + 2, a_stride = (size_t)(s->across ? s->m : s->k) + 3, b_row = (size_t)s->n + 1;
      fill(c, MOST, 13);
      memcpy(want, c, MOST * sizeof *c);
      for (size_t r = 0; r < (size_t)s->m; r++) {
        for (size_t j = 0; j < (size_t)s->n; j++) {
          float acc = s->add ? want[r * c_row + j] : 0;
          for (size_t k = 0; k < (size_t)s->k; k++)
            acc = fmaf(a[s->across ? k * a_stride + r : r * a_stride + k], b[k * b_row + j], acc);
          want[r * c_row + j] = acc;
        }
      }
      run_shape(*g, s, a, b, c, scratch);
      if (memcmp(c, want, MOST * sizeof *c) != 0) FAIL("%s, shape %zu", (*g)->name, i);
    }
  }
  free(a), free(b), free(c), free(want), free(scratch);
}

/* Everything else into one buffer. */
static void run_all(const tern_grad *g, int n, float *out) {
  float x[LONGEST], y[LONGEST], z[LONGEST];
  int8_t q[LONGEST];
  const size_t size = (size_t)n * sizeof(float);
  memset(out, 0, 16 * LONGEST * sizeof *out);
  fill(x, n, 20), fill(y, n, 21), fill(z, n, 22);
  g->rmsnorm_back(out, out + LONGEST, x, y, z, n, 1e-5f);
  g->relu2_back(out + 2 * LONGEST, out + 3 * LONGEST, x, y, z, n);
  g->silu_back(out + 4 * LONGEST, out + 5 * LONGEST, x, y, z, n);
  memcpy(out + 6 * LONGEST, x, size);
  memcpy(out + 7 * LONGEST, y, size);
  const float sum = g->softmax(out + 6 * LONGEST, n, n, 3);
  g->softmax_back(out + 6 * LONGEST, out + 7 * LONGEST, n, 1 / sum, 0.25f, 0.5f);
  memcpy(out + 8 * LONGEST, x, size);
  out[15 * LONGEST] = (float)g->entropy(out + 8 * LONGEST, n, 0, 0.3f);
  out[15 * LONGEST + 1] = g->sum_abs(x, n);
  g->ternary(q, out + 9 * LONGEST, x, 2.5f, 0.4f, n);
  g->dequantise(out + 10 * LONGEST, q, 0.37f, n);
  memcpy(out + 11 * LONGEST, x, size);
  g->add_scaled(out + 11 * LONGEST, y, 0.7f, n);
  for (int i = 0; i < n; i++) z[i] *= z[i]; /* second moments */
  memcpy(out + 12 * LONGEST, x, size);
  memcpy(out + 13 * LONGEST, y, size);
  memcpy(out + 14 * LONGEST, z, size);
  g->adamw(out + 12 * LONGEST, out + 13 * LONGEST, out + 14 * LONGEST, x, n,
           &(tern_adamw){0.01f, 0.9f, 0.98f, 1e-8f, 1.5f, 3, 0.999f, 0.5f});
}

static void every_instruction_set_gives_the_same_bits(void) {
  static float want[16 * LONGEST], found[16 * LONGEST];
  static const int lengths[] = {1, 16, 31, LONGEST};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    run_all(tern_grads()[0], lengths[i], want);
    for (const tern_grad *const *g = tern_grads() + 1; *g; g++) {
      if (!tern_isa_usable((*g)->isa)) continue;
      run_all(*g, lengths[i], found);
      for (int k = 0; k < 16 * LONGEST; k++) {
        if (memcmp(&found[k], &want[k], sizeof *found) != 0)
          FAIL("%s: length %d, part %d, element %d: %.9g, want %.9g", (*g)->name, lengths[i], k / LONGEST, k % LONGEST,
               (double)found[k], (double)want[k]);
      }
    }
  }
}

static void adamw_is_its_formula(void) {
  const tern_adamw o = {0.01f, 0.9f, 0.98f, 1e-8f, 10, 50, 0.999f, 0.5f};
  float w[20], g[20];
  fill(w, 20, 30), fill(g, 20, 31);
  for (int i = 0; i < 20; i++) {
    const double d = 0.5 * (double)g[i], at = (double)w[i];
    float one = w[i], m1 = 0, v1 = 0;
    tern_grads()[0]->adamw(&one, &m1, &v1, &g[i], 1, &o);
    /* The first step's corrected moments are the gradient and its square. */
    NEED(fabs((double)one - (at * (double)0.999f - 0.01 * d / (fabs(d) + 1e-8))) < 1e-6);
  }
}

int main(void) {
  each_length(check_norm);
  each_length(check_gates);
  each_length(check_softmax);
  each_length(check_entropy);
  products_are_their_chain();
  every_instruction_set_gives_the_same_bits();
  adamw_is_its_formula();
  printf("training operations: slopes, chains and bits as promised\n");
  return 0;
}
