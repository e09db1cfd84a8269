/* Packing: a tensor's rows become canonical rows of the wanted kind, block by
 * block over the team, and go into the matrix's layout. A ternary file's twins
 * take their values from the file's own codes and scales. The first row that
 * cannot be used is named. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/model/parts.h"

enum { WHOLE_COLS = 64 }; /* rows of disk blocks end with them */

typedef enum fault {
  FAULT_NONE,
  FAULT_NOT_TERNARY,
  FAULT_UNEQUAL,
  FAULT_NOT_FINITE,
  FAULT_F16_RANGE,
  FAULT_SCALE,
  FAULT_BLOCKS,
  FAULT_CODE
} fault;
static const char *const fault_texts[] = {
    [FAULT_NOT_TERNARY] = "is not ternary (a code that is not -1, 0 or +1)",
    [FAULT_UNEQUAL] = "has blocks of unequal scale (--layout t2b64 or t2b128 holds them)",
    [FAULT_SCALE] = "has a scale that no f16 is equal to: a layout with block scales cannot hold it",
    [FAULT_BLOCKS] = "has a scale for fewer columns than the layout has",
    [FAULT_CODE] = "holds a code outside the layout's range",
    [FAULT_NOT_FINITE] = "holds a weight or scale that is not finite",
    [FAULT_F16_RANGE] = "holds a weight too large for f16 (use another layout)",
};

/* One a team member; on cache lines of its own. */
typedef struct packer_lane {
  _Alignas(64) void *canonical; /* block_rows x cols of the widest matrix, floats */
  float *floats;                /* one row */
  int8_t *codes;                /* one row, and as much again */
  int64_t zeros;
  int fault_row;
  fault fault;
} packer_lane;

struct tern_packer {
  const tern_gguf *g;
  const tern_plan *plan;
  tern_team *team;
  tern_pool *weights;
  size_t canonical_bytes, row_bytes;
  int block_rows; /* a multiple of every layout's row_block */
  size_t lane_bytes;
  packer_lane *lanes; /* [team] */
};

typedef struct pack_job {
  tern_packer *p;
  tern_matrix *m;
  const tern_gguf_tensor *t; /* of a file's tensor, or */
  const tern_matrix *source; /* of a packed head (scan copy) */
  tern_scan *scan;
  float factor;
} pack_job;

float tern_row_to_int8(int8_t *q, const float *w, int n) {
  float max = 0;
  for (int i = 0; i < n; i++) max = fabsf(w[i]) > max ? fabsf(w[i]) : max;
  if (max < 1e-30f) { /* 127 / max would overflow; such a row is zero to any result */
    memset(q, 0, (size_t)n);
    return 0;
  }
  float s = 127 / max;
  for (int i = 0; i < n; i++) {
    int v = (int)rintf(w[i] * s);
    q[i] = (int8_t)(v > 127 ? 127 : v < -127 ? -127 : v);
  }
  return max / 127;
}

/* Room for block scales behind `codes` codes, in buffers of twice that and more. */
static uint16_t *scales_of(int8_t *first, int codes) {
  return (uint16_t *)(void *)(first + ((size_t)codes + 1) / 2 * 2);
}

static int count_zeros(const int8_t *codes, int n) {
  int zeros = 0;
  for (int i = 0; i < n; i++) zeros += codes[i] == 0;
  return zeros;
}

static bool all_finite(const uint16_t *halves, int n) {
  int bad = 0;
  for (int i = 0; i < n; i++) bad += (halves[i] & 0x7c00) == 0x7c00;
  return !bad;
}

static fault why_refused(const tern_gguf_tensor *t, int cols, int row, packer_lane *l) {
  uint16_t *scales = scales_of(l->codes, cols);
  if (!t->type->row_blocks || t->type->row_blocks(t->data, cols, row, l->codes, scales)) return FAULT_NOT_TERNARY;
  return all_finite(scales, cols / t->type->scale_block) ? FAULT_UNEQUAL : FAULT_NOT_FINITE;
}

static fault convert_codes(const pack_job *j, packer_lane *l, int row, void *out) {
  const tern_gguf_tensor *t = j->t;
  tern_matrix *m = j->m;
  int cols = m->cols;
  float scale = 0;
  int8_t *codes = m->layout->kind == TERN_KIND_FLOAT ? l->codes : out;
  int refused = t->type->row_codes(t->data, m->rows, cols, row, j->p->plan->i2s, codes, &scale);
  scale *= j->factor;
  if (!isfinite(scale)) return FAULT_NOT_FINITE;
  if (refused) return why_refused(t, cols, row, l);
  l->zeros += count_zeros(codes, cols);
  if (m->layout->kind == TERN_KIND_TERNARY) {
    m->scale[row] = scale;
  } else if (m->layout->kind == TERN_KIND_INT8) {
    for (int i = 0; i < cols; i++) codes[i] = (int8_t)(codes[i] * 127);
    m->scale[row] = scale / 127;
  } else {
    float *values = out;
    for (int i = 0; i < cols; i++) values[i] = (float)codes[i] * scale;
  }
  return FAULT_NONE;
}

static fault convert_floats(const pack_job *j, packer_lane *l, int row, void *out) {
  const tern_gguf_tensor *t = j->t;
  tern_matrix *m = j->m;
  int cols = m->cols;
  float *values = m->layout->kind == TERN_KIND_FLOAT ? out : l->floats;
  if (t->type->ternary && t->type->row_blocks(t->data, cols, row, l->codes, scales_of(l->codes, cols)))
    return FAULT_NOT_TERNARY;
  t->type->row_floats(t->data, m->rows, cols, row, j->p->plan->i2s, values);
  int bad = 0;
  for (int i = 0; i < cols; i++) {
    values[i] *= j->factor;
    bad += !(fabsf(values[i]) <= 3.4e38f);
  }
  if (bad) return FAULT_NOT_FINITE;
  if (m->layout->kind == TERN_KIND_INT8) m->scale[row] = tern_row_to_int8(out, values, cols);
  return FAULT_NONE;
}

static fault check_f16(const float *values, int cols) {
  int large = 0;
  for (int i = 0; i < cols; i++) large += fabsf(values[i]) >= 65520; /* rounds to infinity */
  return large ? FAULT_F16_RANGE : FAULT_NONE;
}

/* A row with one scale: the same for all its blocks. */
static fault blocks_of_codes(const pack_job *j, int row, int8_t *codes, uint16_t *scales, int blocks) {
  const tern_gguf_tensor *t = j->t;
  float scale = 0;
  if (t->type->row_codes(t->data, j->m->rows, j->m->cols, row, j->p->plan->i2s, codes, &scale))
    return FAULT_NOT_TERNARY;
  scale *= j->factor;
  uint16_t half = tern_f16_from_f32(scale);
  if (!isfinite(scale)) return FAULT_NOT_FINITE;
  if (tern_f32_from_f16(half) != scale) return FAULT_SCALE;
  for (int i = 0; i < blocks; i++) scales[i] = half;
  return FAULT_NONE;
}

/* A row of a type with block scales; a scale of more columns stands for several blocks. */
static fault blocks_of_blocks(const pack_job *j, int row, int8_t *codes, uint16_t *scales, int blocks) {
  const tern_dtype *type = j->t->type;
  int share = type->scale_block / j->m->layout->scale_block;
  if (share < 1) return FAULT_BLOCKS;
  if (type->row_blocks(j->t->data, j->m->cols, row, codes, scales)) return FAULT_NOT_TERNARY;
  for (int i = blocks - 1; i >= 0; i--) scales[i] = scales[i / share];
  return FAULT_NONE;
}

/* A row of floats, as the disk type of the layout's blocks encodes it. */
static fault blocks_of_floats(const pack_job *j, packer_lane *l, int row, int8_t *codes, uint16_t *scales) {
  const tern_dtype *type = tern_dtype_by_id(j->m->layout->bits > 4 ? TERN_DISK_Q8_0 : TERN_DISK_Q4_0);
  int cols = j->m->cols, padded = (cols + type->block - 1) / type->block * type->block;
  j->t->type->row_floats(j->t->data, j->m->rows, cols, row, j->p->plan->i2s, l->floats);
  for (int i = 0; i < cols; i++) {
    l->floats[i] *= j->factor;
    if (!(fabsf(l->floats[i]) <= 3.4e38f)) return FAULT_NOT_FINITE;
  }
  for (int i = cols; i < padded; i++) l->floats[i] = 0;
  type->put_floats((uint8_t *)l->codes, 1, padded, 0, 1, l->floats);
  type->row_blocks((const uint8_t *)l->codes, padded, 0, (int8_t *)l->floats, scales);
  memcpy(codes, l->floats, (size_t)cols);
  return FAULT_NONE;
}

static fault convert_blocks(const pack_job *j, packer_lane *l, int row, int8_t *codes, uint16_t *scales) {
  const tern_layout *layout = j->m->layout;
  const tern_dtype *type = j->t->type;
  int cols = j->m->cols, blocks = (cols + layout->scale_block - 1) / layout->scale_block, bad = 0;
  bool ternary = tern_layout_is_ternary(layout), same = type->row_blocks && j->factor == 1;
  fault found;
  if (ternary && same) {
    found = blocks_of_blocks(j, row, codes, scales, blocks);
  } else if (ternary) {
    found = blocks_of_codes(j, row, codes, scales, blocks);
  } else if (same && !type->ternary && (type->id == TERN_DISK_Q8_0) == (layout->bits > 4)) {
    found = blocks_of_blocks(j, row, codes, scales, blocks);
  } else {
    found = blocks_of_floats(j, l, row, codes, scales);
  }
  if (found == FAULT_NONE && !all_finite(scales, blocks)) found = FAULT_NOT_FINITE;
  for (int i = 0; i < cols; i++) bad += codes[i] < layout->lowest || codes[i] > layout->highest;
  if (ternary) l->zeros += count_zeros(codes, cols);
  return found == FAULT_NONE && bad ? FAULT_CODE : found;
}

/* Int8 copy of one head row and the norms that bound its error: in double,
 * rounded up by far more than the sums' own rounding. */
static void convert_scan(const pack_job *j, packer_lane *l, int row, int8_t *q) {
  const double up = 1 + 1e-6;
  const tern_matrix *head = j->source;
  double error = 0, norm = 0, copy_norm = 0;
  head->layout->unpack(head->data, head->rows, head->cols, row, l->floats);
  float scale = tern_row_to_int8(q, l->floats, head->cols);
  for (int i = 0; i < head->cols; i++) {
    double w = l->floats[i], copy = (double)q[i] * scale;
    error += (w - copy) * (w - copy);
    norm += w * w;
    copy_norm += copy * copy;
  }
  j->m->scale[row] = scale;
  j->scan->error[row] = (float)(sqrt(error) * up);
  j->scan->norm[row] = (float)(sqrt(norm > copy_norm ? norm : copy_norm) * up);
}

/* Blocks of unequal scale have no one scale a row: a float twin takes their
 * values as they are, an int8 one rounds them. */
static fault convert_row(const pack_job *j, packer_lane *l, int row, void *out) {
  const tern_weight_kind kind = j->m->layout->kind;
  const tern_dtype *type = j->t ? j->t->type : NULL;
  if (j->scan) {
    convert_scan(j, l, row, out);
    return FAULT_NONE;
  }
  bool floats = !type->ternary || (type->row_blocks && kind == TERN_KIND_FLOAT);
  fault found = floats ? convert_floats(j, l, row, out) : convert_codes(j, l, row, out);
  if (found == FAULT_UNEQUAL && kind == TERN_KIND_INT8) found = convert_floats(j, l, row, out);
  if (found == FAULT_NONE && j->m->layout == &tern_layout_f16) found = check_f16(out, j->m->cols);
  return found;
}

/* Rows [row, row + count), at most block_rows, through canonical ones. */
static fault pack_block(const pack_job *j, packer_lane *l, int row, int count) {
  tern_matrix *m = j->m;
  const tern_layout *layout = m->layout;
  const size_t cols = (size_t)m->cols, element = layout->kind == TERN_KIND_FLOAT ? sizeof(float) : 1;
  const size_t blocks =
      layout->scale_block ? (cols + (size_t)layout->scale_block - 1) / (size_t)layout->scale_block : 0;
  tern_block_rows rows = {.codes = l->canonical, .scales = scales_of(l->canonical, count * m->cols)};
  for (int i = 0; i < count; i++) {
    const size_t at = (size_t)i;
    l->fault_row = row + i;
    l->fault = layout->kind == TERN_KIND_BLOCKS
                   ? convert_blocks(j, l, row + i, rows.codes + at * cols, rows.scales + at * blocks)
                   : convert_row(j, l, row + i, (char *)l->canonical + at * cols * element);
    if (l->fault != FAULT_NONE) return l->fault;
  }
  layout->pack(m->data, m->rows, m->cols, row, count, blocks ? (void *)&rows : l->canonical);
  return FAULT_NONE;
}

static void pack_rows(void *arg, int member, int size) {
  const pack_job *j = arg;
  tern_packer *p = j->p;
  packer_lane *l = &p->lanes[member];
  int lo, hi, rows = j->m->rows;
  l->fault = FAULT_NONE;
  tern_split(rows, p->block_rows, member, size, &lo, &hi);
  for (int row = lo; row < hi && l->fault == FAULT_NONE; row += p->block_rows) {
    pack_block(j, l, row, hi - row < p->block_rows ? hi - row : p->block_rows);
  }
}

/* One scale for the matrix where all rows have the same. */
static int share_scale(tern_matrix *m, tern_error *e) {
  if (!m->scale) return 0;
  for (int i = 1; i < m->rows; i++) {
    if (m->scale[i] != m->scale[0]) return 0;
  }
  float *one = tern_alloc(sizeof(float), "weight scale", e);
  if (!one) return TERN_FAILED;
  *one = m->scale[0];
  tern_free(m->scale, m->scale_bytes);
  m->scale = one;
  m->scale_bytes = sizeof(float);
  m->scale_stride = 0;
  return 0;
}

int tern_pack_matrix(tern_packer *p, tern_matrix *m, const tern_layout *layout, const tern_gguf_tensor *t, float factor,
                     tern_error *e) {
  int cols = (int)t->shape[0], rows = t->dims >= 2 ? (int)t->shape[1] : 1;
  const tern_choice choice = tern_choose_kernels(p->plan->tuning, layout, &p->plan->situation);
  if (tern_matrix_alloc(m, p->weights, &choice, rows, cols, e)) return TERN_FAILED;
  pack_job job = {.p = p, .m = m, .t = t, .factor = factor};
  tern_team_run(p->team, pack_rows, &job);
  for (int i = 0; i < tern_team_size(p->team); i++) { /* members' rows ascend: the first fault is the lowest row */
    const packer_lane *l = &p->lanes[i];
    if (l->fault == FAULT_NONE) continue;
    return tern_fail(e, TERN_FAILED, "%s: tensor %s, row %d %s", tern_gguf_name(p->g), t->name, l->fault_row,
                     fault_texts[l->fault]);
  }
  return share_scale(m, e);
}

int tern_pack_scan(tern_packer *p, tern_scan *scan, const tern_matrix *head, tern_error *e) {
  const tern_choice choice = tern_choose_kernels(p->plan->tuning, &tern_layout_q8, &p->plan->situation);
  if (tern_matrix_alloc(&scan->matrix, p->weights, &choice, head->rows, head->cols, e)) return TERN_FAILED;
  scan->bound_bytes = (size_t)head->rows * sizeof(float);
  scan->error = tern_alloc(scan->bound_bytes, "exact head's bounds", e);
  scan->norm = scan->error ? tern_alloc(scan->bound_bytes, "exact head's bounds", e) : NULL;
  if (!scan->norm) return TERN_FAILED;
  pack_job job = {.p = p, .m = &scan->matrix, .source = head, .scan = scan};
  tern_team_run(p->team, pack_rows, &job);
  scan->norm_max = 0;
  for (int i = 0; i < head->rows; i++) scan->norm_max = fmaxf(scan->norm_max, scan->norm[i]);
  return 0;
}

int64_t tern_packer_zeros(const tern_packer *p) {
  int64_t zeros = 0;
  for (int i = 0; i < tern_team_size(p->team); i++) zeros += p->lanes[i].zeros;
  return zeros;
}

static int common_multiple(int a, int b) {
  int x = a, y = b;
  while (y) {
    int rest = x % y;
    x = y;
    y = rest;
  }
  return a / x * b;
}

int tern_packer_open(tern_packer **out, const tern_gguf *g, const tern_plan *plan, tern_team *team, tern_pool *weights,
                     tern_error *e) {
  *out = NULL;
  tern_packer *p = calloc(1, sizeof *p);
  if (!p) return tern_fail(e, TERN_FAILED, "packing: out of memory");
  const tern_model_facts *f = &plan->facts;
  int members = tern_team_size(team), cols = f->hidden > f->ffn ? f->hidden : f->ffn;
  if (tern_dim_size(f, TERN_DIM_QUERY) > cols) cols = tern_dim_size(f, TERN_DIM_QUERY);
  cols = (cols + WHOLE_COLS - 1) / WHOLE_COLS * WHOLE_COLS;
  int block = common_multiple(plan->body->row_block, plan->head->row_block);
  if (plan->exact_head) block = common_multiple(block, tern_layout_q8.row_block);
  *p = (tern_packer){.g = g, .plan = plan, .team = team, .weights = weights, .block_rows = block};
  p->row_bytes = (size_t)cols * sizeof(float);
  p->canonical_bytes = tern_mul((size_t)block, p->row_bytes);
  p->lane_bytes = (size_t)members * sizeof(packer_lane);
  p->lanes = tern_alloc(p->lane_bytes, "packing", e);
  if (!p->lanes) goto failed;
  for (int i = 0; i < members; i++) {
    packer_lane *l = &p->lanes[i];
    l->canonical = tern_alloc(p->canonical_bytes, "packing", e);
    l->floats = l->canonical ? tern_alloc(p->row_bytes, "packing", e) : NULL;
    l->codes = l->floats ? tern_alloc(2 * (size_t)cols, "packing", e) : NULL;
    if (!l->codes) goto failed;
  }
  *out = p;
  return 0;

failed:
  tern_packer_close(p);
  return TERN_FAILED;
}

void tern_packer_close(tern_packer *p) {
  if (!p) return;
  for (int i = 0; p->lanes && i < tern_team_size(p->team); i++) {
    tern_free(p->lanes[i].canonical, p->canonical_bytes);
    tern_free(p->lanes[i].floats, p->row_bytes);
    tern_free(p->lanes[i].codes, p->row_bytes / sizeof(float) * 2);
  }
  tern_free(p->lanes, p->lane_bytes);
  free(p);
}
