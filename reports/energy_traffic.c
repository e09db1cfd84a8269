/* Energy of arithmetic and of traffic. Operands come to the arithmetic from L1
 * once a register tile, as blocked kernels do it: a weight serves TILE_TOKENS
 * tokens and an activation TILE_ROWS rows. The tables end at 1 MB of SRAM: L3
 * is charged as that, without the wires to it, so its share is too low. */
#include "reports/energy_traffic.h"

#include <math.h>

static const double TILE_TOKENS = 8, TILE_ROWS = 16;
static const double F16_BYTES = 2, ACCESS_BYTES = 8, PICO = 1e-12;

static const tern_energy_node nodes[] = {
    {"45 nm", 0.03, 0.1, 0.2, 0.4, 1.1, 20, 100, 1300},
    {"7 nm", 0.007, 0.03, 0.07, 0.16, 0.34, 8.5, 14, 1300},
};

static const tern_energy_format formats[] = {
    {"ternary, 2 bits", 2, true, true},
    {"ternary, 1.6 bits", 1.6, true, true},
    {"int8", 8, true, false},
    {"f16", 16, false, false},
};

const tern_energy_node *tern_energy_nodes(size_t *count) {
  *count = sizeof nodes / sizeof *nodes;
  return nodes;
}

const tern_energy_format *tern_energy_formats(size_t *count) {
  *count = sizeof formats / sizeof *formats;
  return formats;
}

/* Sizes that energy and traffic follow from. */
typedef struct sizes {
  double body, head;               /* weights */
  double attention;                /* products of the pass */
  double weight_bytes, head_bytes; /* of all layers, of the head */
  double kv, kv_tiles, kv_written; /* bytes of the cache; read by tiles of tokens; added */
  double inputs;                   /* bytes of activations that enter the layers' matrices */
} sizes;

static sizes sizes_of(const tern_energy_case *c) {
  const tern_shape *s = c->shape;
  double n = c->tokens, h = s->hidden, q = (double)s->heads * s->head_dim;
  double position = 2.0 * s->layers * s->kv_heads * s->head_dim * F16_BYTES; /* bytes of keys and values */
  double seen = n * c->depth + n * (n + 1) / 2; /* each token looks at itself and all before it */
  sizes z = {.body = tern_shape_body_weights(s), .head = h * s->vocab};
  z.attention = 2 * s->layers * q * seen;
  z.weight_bytes = z.body * c->format->bits / 8;
  z.head_bytes = z.head * F16_BYTES;
  z.kv = position * (c->depth + n);
  z.kv_tiles = fmax(z.kv, position * seen / fmin(n, TILE_TOKENS));
  z.kv_written = position * n;
  z.inputs = n * s->layers * (2 * h + q + s->ffn) * (c->format->integer ? 1 : F16_BYTES);
  return z;
}

static double arithmetic(const tern_energy_case *c, const sizes *z, const tern_energy_node *p) {
  const tern_energy_format *f = c->format;
  double f16 = p->mul_fp16 + p->add_fp16;
  double body = f->add_only ? p->add_int8 : f->integer ? p->mul_int8 + p->add_int32 : f16;
  return PICO * (c->tokens * z->body * body + (z->attention + z->head) * f16);
}

/* Adds bytes to the levels from L2 to the nearest one that holds `set` bytes. */
static void pass_levels(const tern_energy_case *c, double *levels, double bytes, double set) {
  int source = TERN_LEVEL_L1;
  while (source < TERN_LEVEL_DRAM && c->cache[source] < set) source++;
  for (int level = TERN_LEVEL_L2; level <= source; level++) levels[level] += bytes;
}

tern_energy_split tern_energy_traffic(const tern_energy_case *c, const tern_energy_node *p) {
  sizes z = sizes_of(c);
  tern_energy_split e = {.arithmetic = arithmetic(c, &z, p)};
  double pass = z.weight_bytes + z.head_bytes + z.kv, layers = c->shape->layers;
  pass_levels(c, e.bytes, pass + z.kv_written, pass);
  /* Within a pass a layer's keys, values and activations are read again while they are near. */
  pass_levels(c, e.bytes, z.kv_tiles - z.kv, z.kv / layers);
  pass_levels(c, e.bytes, z.inputs, z.inputs / layers);
  double operands = c->tokens * z.body / TILE_ROWS * (c->format->integer ? 1 : F16_BYTES);
  e.bytes[TERN_LEVEL_L1] =
      operands + z.weight_bytes * ceil(c->tokens / TILE_TOKENS) + z.head_bytes + z.kv_tiles + z.kv_written;
  const double access[TERN_LEVELS] = {p->sram_32k, p->sram_1m, p->sram_1m, p->dram};
  e.total = e.arithmetic;
  for (int level = 0; level < TERN_LEVELS; level++) {
    e.traffic[level] = PICO * access[level] * e.bytes[level] / ACCESS_BYTES;
    e.total += e.traffic[level];
  }
  return e;
}
