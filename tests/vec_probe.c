/* Every operation of every usable vector table against the scalar one, bit for
 * bit, over random and extreme inputs that end at a guard page; any NaN equals
 * any other, for hardware disagrees on a new NaN's sign. `--hash` prints one
 * hash of all results a table; `--expect` compares it, so that architectures and
 * versions are held to the same bits. Plain main: runs under qemu-aarch64 too. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/vec.h"

enum { LONGEST = 300, OUT = 1 << 17 };

static uint64_t state;

static uint64_t next_random(void) { /* splitmix64 */
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static int below(int n) {
  return (int)(next_random() % (uint64_t)n);
}

static float uniform(void) {
  return (float)(int32_t)next_random() * 0x1p-31f;
}

typedef enum input_kind { SMALL, TIES, WIDE, EXTREME, KINDS } input_kind;

static float draw(input_kind kind) {
  static const float odd[] = {NAN,   -NAN,     INFINITY, -INFINITY, 0.0f,  -0.0f,   FLT_MAX, -FLT_MAX, FLT_MIN, 1e-45f,
                              -1.0f, 65504.0f, 65520.0f, 88.73f,    89.0f, -87.34f, -1e4f,   1e-40f,   -3e-8f,  6e-8f};
  uint32_t bits = (uint32_t)next_random();
  float x;
  switch (kind) {
  case SMALL:
    return 4.0f * uniform();
  case TIES:
    return (float)(below(255) - 127) * 0.5f;
  case EXTREME:
    if (below(4) == 0) return odd[below((int)(sizeof odd / sizeof odd[0]))];
    return 50.0f * uniform();
  default:
    memcpy(&x, &bits, sizeof x);
    return isfinite(x) ? x : 1.0f;
  }
}

/* Memory whose end is followed by an inaccessible page. */
static void *guarded(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  unsigned char *p = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED || mprotect(p + whole, page, PROT_NONE)) {
    perror("vec_probe: guard page");
    exit(1);
  }
  return p + whole - bytes;
}

static void release(void *end_flush, size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  munmap((unsigned char *)end_flush + bytes - whole, whole + page);
}

/* What one call reads and writes: arrays that end at guard pages. */
typedef struct call {
  int n, variant;
  float *a, *b, *c, *y;   /* n floats each */
  uint16_t *h;            /* n */
  int8_t *q;              /* n */
  unsigned char out[OUT]; /* results gathered for comparison */
  size_t floats, bytes;   /* how many of `out`: floats first */
} call;

static void keep_floats(call *c, const float *x, size_t n) {
  memcpy(c->out + c->floats * 4, x, n * 4);
  c->floats += n;
}

static void keep_bytes(call *c, const void *x, size_t n) {
  memcpy(c->out + c->floats * 4 + c->bytes, x, n);
  c->bytes += n;
}

static void do_dot(const tern_vec *v, call *c) {
  float r = v->dot(c->a, c->b, c->n);
  keep_floats(c, &r, 1);
}

static void do_sum_squares(const tern_vec *v, call *c) {
  float r = v->sum_squares(c->a, c->n);
  keep_floats(c, &r, 1);
}

static void do_rmsnorm(const tern_vec *v, call *c) {
  v->rmsnorm(c->y, c->a, c->variant ? c->b : NULL, c->n, 1e-5f);
  keep_floats(c, c->y, (size_t)c->n);
}

static void do_quantise(const tern_vec *v, call *c) {
  int32_t sum;
  int short_by = c->variant < c->n ? c->variant : 0;
  float s = v->quantise(c->q, c->a, c->n - short_by, c->n, &sum);
  keep_floats(c, &s, 1);
  keep_bytes(c, &sum, sizeof sum);
  keep_bytes(c, c->q, (size_t)c->n);
}

static void do_add(const tern_vec *v, call *c) {
  memcpy(c->y, c->b, (size_t)c->n * 4);
  v->add(c->y, c->a, c->n);
  keep_floats(c, c->y, (size_t)c->n);
}

static void do_scale(const tern_vec *v, call *c) {
  memcpy(c->y, c->b, (size_t)c->n * 4);
  v->scale(c->y, 0.37f, c->n);
  keep_floats(c, c->y, (size_t)c->n);
}

static void do_relu2(const tern_vec *v, call *c) {
  v->relu2_mul(c->y, c->a, c->b, c->n);
  keep_floats(c, c->y, (size_t)c->n);
}

static void do_exp(const tern_vec *v, call *c) {
  v->exp_less(c->y, c->a, 0.37f, c->n);
  keep_floats(c, c->y, (size_t)c->n);
}

static void do_silu(const tern_vec *v, call *c) {
  v->silu_mul(c->y, c->a, c->b, c->n);
  keep_floats(c, c->y, (size_t)c->n);
}

static void do_gelu(const tern_vec *v, call *c) {
  v->gelu_mul(c->y, c->a, c->b, c->n);
  keep_floats(c, c->y, (size_t)c->n);
}

static void do_rope(const tern_vec *v, call *c) {
  int n = c->n / 2 * 2, skip = c->n - n; /* keep the end at the guard page */
  float *x = c->y + skip;
  memcpy(x, c->a, (size_t)n * 4);
  v->rope(x, c->b + c->n - n / 2, c->c + c->n - n / 2, n, c->variant & 1);
  keep_floats(c, x, (size_t)n);
}

static void do_to_half(const tern_vec *v, call *c) {
  (c->variant & 1 ? v->f32_to_bf16 : v->f32_to_f16)(c->h, c->a, (size_t)c->n);
  keep_bytes(c, c->h, (size_t)c->n * 2);
}

static void do_from_half(const tern_vec *v, call *c) {
  for (int i = 0; i < c->n; i++) memcpy(c->h + i, (const uint16_t *)c->a + (c->variant & 2 ? 2 * i : 2 * i + 1), 2);
  (c->variant & 1 ? v->bf16_to_f32 : v->f16_to_f32)(c->y, c->h, (size_t)c->n);
  keep_bytes(c, c->y, (size_t)c->n * 4); /* payloads too */
}

static void do_kv_store(const tern_vec *v, call *c) {
  static const tern_kv_type types[] = {TERN_KV_F32, TERN_KV_F16, TERN_KV_INT8};
  void *slots[] = {c->y, c->h, c->q};
  static const size_t widths[] = {4, 2, 1};
  float s = 0;
  int k = c->variant % 3;
  v->kv_store(slots[k], &s, c->a, c->n, types[k]);
  keep_floats(c, &s, 1);
  keep_bytes(c, slots[k], (size_t)c->n * widths[k]);
}

typedef struct operation {
  const char *name;
  void (*run)(const tern_vec *v, call *c);
  int variants;
} operation;

static const operation operations[] = {
    {"dot", do_dot, 1},
    {"sum_squares", do_sum_squares, 1},
    {"rmsnorm", do_rmsnorm, 2},
    {"quantise", do_quantise, 3},
    {"add", do_add, 1},
    {"scale", do_scale, 1},
    {"relu2_mul", do_relu2, 1},
    {"silu_mul", do_silu, 1},
    {"gelu_mul", do_gelu, 1},
    {"exp_less", do_exp, 1},
    {"rope", do_rope, 2},
    {"to_half", do_to_half, 2},
    {"from_half", do_from_half, 4},
    {"kv_store", do_kv_store, 3},
};

static uint64_t fold(uint64_t hash, const void *data, size_t n) { /* FNV-1a */
  for (size_t i = 0; i < n; i++) hash = (hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
  return hash;
}

/* Makes all float NaNs one NaN. */
static void settle(call *c) {
  for (size_t i = 0; i < c->floats; i++) {
    float x;
    memcpy(&x, c->out + 4 * i, 4);
    if (x != x) memcpy(c->out + 4 * i, &(uint32_t){0x7fc00000u}, 4);
  }
}

typedef struct probe {
  const tern_vec *const *tables;
  uint64_t hash[8];
  long failures, checks;
} probe;

/* One call on all tables: compares with the first and adds to the hashes. */
static void compare(probe *p, const char *what, void (*run)(const tern_vec *, call *), call *c) {
  static unsigned char expected[OUT];
  size_t length = 0;
  for (int t = 0; p->tables[t]; t++) {
    if (!tern_isa_usable(p->tables[t]->isa)) continue;
    c->floats = c->bytes = 0;
    run(p->tables[t], c);
    settle(c);
    if (t == 0) {
      length = c->floats * 4 + c->bytes;
      memcpy(expected, c->out, length);
    }
    p->hash[t] = fold(p->hash[t], c->out, length);
    p->checks++;
    if (memcmp(expected, c->out, length) == 0) continue;
    if (p->failures++ < 20)
      fprintf(stderr, "vec_probe: %s of %s differs from scalar (n %d, variant %d)\n", what, p->tables[t]->name, c->n,
              c->variant);
  }
}

static void probe_operations(probe *p) {
  static call c;
  for (int n = 1; n <= LONGEST; n++) {
    size_t bytes = (size_t)n * 4;
    c.n = n;
    float **arrays[] = {&c.a, &c.b, &c.c, &c.y};
    for (int i = 0; i < 4; i++) *arrays[i] = guarded(bytes);
    c.h = guarded(bytes / 2);
    c.q = guarded((size_t)n);
    for (int kind = 0; kind < KINDS; kind++) {
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < n; j++) (*arrays[i])[j] = draw((input_kind)kind);
      for (size_t o = 0; o < sizeof operations / sizeof operations[0]; o++)
        for (c.variant = 0; c.variant < operations[o].variants; c.variant++)
          compare(p, operations[o].name, operations[o].run, &c);
    }
    for (int i = 0; i < 4; i++) release(*arrays[i], bytes);
    release(c.h, bytes / 2);
    release(c.q, (size_t)n);
  }
}

/* Attention: the call's own shape and arrays. */
static struct {
  int heads, tokens, head_dim, positions; /* all that the last token sees */
  size_t stride, kv_bytes, q_stride;
  tern_kv_type type;
  float *q, *k_scale, *v_scale;
  unsigned char *k, *v;
  float factor;
} shape;

static void do_attend(const tern_vec *v, call *c) {
  const size_t heads = (size_t)shape.heads, rows = heads * (size_t)shape.tokens, dim = (size_t)shape.head_dim;
  const size_t scratch_bytes = tern_attend_scratch(rows, (size_t)shape.positions, dim) * 4;
  const size_t out_stride = dim + 3, out_bytes = rows * out_stride * 4;
  float *scratch = guarded(scratch_bytes), *out = guarded(out_bytes);
  memset(scratch, 0xff, scratch_bytes);
  memset(out, 0x11, out_bytes);
  v->attend(&(tern_attend){.q = shape.q,
                           .q_token = heads * shape.q_stride,
                           .q_head = shape.q_stride,
                           .out = out,
                           .out_token = heads * out_stride,
                           .out_head = out_stride,
                           .heads = shape.heads,
                           .tokens = shape.tokens,
                           .positions = shape.positions - shape.tokens + 1,
                           .head_dim = shape.head_dim,
                           .k = shape.k,
                           .v = shape.v,
                           .kv_stride = shape.stride,
                           .k_scale = shape.k_scale,
                           .v_scale = shape.v_scale,
                           .type = shape.type,
                           .scale = shape.factor,
                           .scratch = scratch});
  keep_floats(c, out, out_bytes / 4);
  release(scratch, scratch_bytes);
  release(out, out_bytes);
}

static void fill_attend(const tern_vec *v, input_kind kind) {
  size_t q_floats = (size_t)(shape.heads * shape.tokens - 1) * shape.q_stride + (size_t)shape.head_dim;
  float x[256];
  for (size_t i = 0; i < q_floats; i++) shape.q[i] = uniform();
  for (int t = 0; t < shape.positions; t++)
    for (int side = 0; side < 2; side++) {
      for (int d = 0; d < shape.head_dim; d++) x[d] = draw(kind);
      v->kv_store((side ? shape.v : shape.k) + (size_t)t * shape.stride, (side ? shape.v_scale : shape.k_scale) + t, x,
                  shape.head_dim, shape.type);
    }
}

/* Heads and tokens that share a KV head, at most 64 rows. */
static void draw_rows(void) {
  static const int heads[] = {1, 2, 3, 4, 5, 7, 8, 17, 35};
  shape.heads = heads[below(9)];
  shape.tokens = below(2) ? 1 + below(64 / shape.heads) : 1;
  if (shape.tokens > shape.positions) shape.tokens = shape.positions;
}

static void probe_attend(probe *p, int rounds) {
  static const int dims[] = {8, 16, 20, 48, 64, 80, 100, 128, 256};
  static const size_t widths[] = {4, 2, 1};
  static call c;
  for (int round = 0; round < rounds; round++) {
    shape.head_dim = dims[below(9)];
    shape.positions = round % 3 ? 1 + below(40) : 1 + below(150);
    draw_rows();
    shape.type = (tern_kv_type)below(3);
    shape.kv_bytes = (size_t)shape.head_dim * widths[shape.type];
    shape.stride = shape.kv_bytes * (size_t)(1 + below(2));
    shape.q_stride = (size_t)(shape.head_dim + below(2) * 5);
    shape.factor = 1.0f / sqrtf((float)shape.head_dim);
    size_t q_bytes = ((size_t)(shape.heads * shape.tokens - 1) * shape.q_stride + (size_t)shape.head_dim) * 4;
    size_t kv_bytes = (size_t)(shape.positions - 1) * shape.stride + shape.kv_bytes;
    size_t scale_bytes = (size_t)shape.positions * 4;
    shape.q = guarded(q_bytes);
    shape.k = guarded(kv_bytes);
    shape.v = guarded(kv_bytes);
    shape.k_scale = guarded(scale_bytes);
    shape.v_scale = guarded(scale_bytes);
    fill_attend(p->tables[0], round % 5 == 4 ? EXTREME : SMALL);
    c.n = shape.positions;
    c.variant = shape.head_dim * 1000 + shape.heads * shape.tokens * 10 + (int)shape.type;
    compare(p, "attend", do_attend, &c);
    release(shape.q, q_bytes);
    release(shape.k, kv_bytes);
    release(shape.v, kv_bytes);
    release(shape.k_scale, scale_bytes);
    release(shape.v_scale, scale_bytes);
  }
}

/* `--expect HASH` fails when a table's results are not those bits. */
int main(int argc, char **argv) {
  probe p = {.tables = tern_vecs()};
  const int print = argc == 2 && strcmp(argv[1], "--hash") == 0;
  const int expect = argc == 3 && strcmp(argv[1], "--expect") == 0;
  const uint64_t expected = expect ? strtoull(argv[2], NULL, 16) : 0;
  state = 20240217;
  probe_operations(&p);
  probe_attend(&p, 150);
  for (int t = 0; p.tables[t]; t++) {
    if (!tern_isa_usable(p.tables[t]->isa)) continue;
    if (print) printf("%s %016llx\n", p.tables[t]->name, (unsigned long long)p.hash[t]);
    if (expect && p.hash[t] != expected) {
      fprintf(stderr, "vec_probe: hash of %s is %016llx\n", p.tables[t]->name, (unsigned long long)p.hash[t]);
      p.failures++;
    }
  }
  printf("%ld comparisons, %ld differences\n", p.checks, p.failures);
  return p.failures != 0;
}
