/* Codes of a matrix, rows split over a team. Floats are taken as ternary only
 * when a row holds nothing but 0 and one magnitude: nothing is rounded unseen. */
#include "engine/format/convert_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/format/view.h"

bool tern_tensor_is_projection(const tern_gguf_tensor *t) {
  const char *rest = strncmp(t->name, "blk.", 4) == 0 ? strchr(t->name + 4, '.') : NULL;
  if (!rest || t->dims < 2) return false;
  size_t n = strlen(rest);
  return (strncmp(rest, ".attn_", 6) == 0 || strncmp(rest, ".ffn_", 5) == 0) && n > 7 &&
         strcmp(rest + n - 7, ".weight") == 0;
}

void tern_tensor_kind(const tern_gguf_tensor *t, char *out, size_t size) {
  const char *rest = strncmp(t->name, "blk.", 4) == 0 ? strchr(t->name + 4, '.') : NULL;
  snprintf(out, size, "%s", rest ? rest + 1 : t->name);
  size_t n = strlen(out);
  if (n > 7 && strcmp(out + n - 7, ".weight") == 0) out[n - 7] = 0;
}

typedef struct job {
  tern_coded *c;
  const tern_gguf_tensor *t;
  tern_i2s order;
  const tern_dtype *type;
  const uint8_t *data;
  float *values; /* a row for every member, where the tensor is no ternary one */
  int *bad;      /* [member] first row that can't be used, -1: none */
} job;

/* 1: not ternary with one magnitude. */
static int exact_codes(const float *values, int cols, int8_t *codes, float *scale) {
  float most = 0;
  for (int i = 0; i < cols; i++) most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
  *scale = most;
  int wrong = !isfinite(most);
  for (int i = 0; i < cols; i++) {
    codes[i] = (int8_t)((values[i] > 0) - (values[i] < 0));
    wrong |= !(fabsf(values[i]) == most || values[i] == 0);
  }
  return wrong;
}

static bool all_zero(const int8_t *codes, int cols) {
  uint8_t any = 0;
  for (int i = 0; i < cols; i++) any |= (uint8_t)codes[i];
  return !any;
}

static void read_rows(void *arg, int member, int size) {
  const job *j = arg;
  int lo, hi, cols = j->c->cols, rows = j->c->rows;
  float *values = j->values ? j->values + (size_t)member * (size_t)cols : NULL;
  tern_split(rows, 1, member, size, &lo, &hi);
  for (int row = lo; row < hi && j->bad[member] < 0; row++) {
    int8_t *codes = j->c->codes + (size_t)row * (size_t)cols;
    float *scale = &j->c->scales[row];
    int wrong;
    if (j->type->ternary) {
      wrong = j->type->row_codes(j->data, rows, cols, row, j->order, codes, scale);
      if (!wrong && *scale == 0) memset(codes, 0, (size_t)cols); /* 0 times anything */
      wrong |= !isfinite(*scale);
    } else {
      j->type->row_floats(j->data, rows, cols, row, j->order, values);
      wrong = exact_codes(values, cols, codes, scale);
    }
    if (!wrong && all_zero(codes, cols)) *scale = 0;
    if (wrong) j->bad[member] = row;
  }
}

static int tell(const job *j, int member, const char *file, tern_error *e) {
  if (j->type->row_blocks) {
    return tern_fail(
        e, TERN_FAILED,
        "%s: tensor %s, row %d: is not ternary with one scale a row; its own type and float types can hold it", file,
        j->t->name, j->bad[member]);
  }
  return tern_fail(e, TERN_FAILED, "%s: tensor %s, row %d: %s", file, j->t->name, j->bad[member],
                   j->type->ternary ? "is not ternary, or its scale is not finite (damaged, or another --i2s-layout)"
                                    : "is not ternary; take a float type, or --absmean to quantise");
}

int tern_coded_read(tern_coded *out, const tern_gguf *g, const tern_gguf_tensor *t, tern_i2s order, bool absmean,
                    tern_team *team, tern_error *e) {
  int members = tern_team_size(team), rows = tern_tensor_rows(t), cols = (int)t->shape[0], rc = TERN_FAILED;
  tern_view view = {.rows = t->data, .stored = t->type};
  *out = (tern_coded){.rows = rows, .cols = cols};
  out->codes_size = tern_mul((size_t)rows, (size_t)cols);
  out->scales_size = (size_t)rows * sizeof(float);
  job j = {.c = out, .t = t, .order = order, .type = t->type, .data = t->data};
  if (absmean && !t->type->ternary) {
    j.type = &tern_dtype_master;
    j.data = (const uint8_t *)&view;
  }
  out->codes = tern_alloc(out->codes_size, "a matrix' codes", e);
  out->scales = out->codes ? tern_alloc(out->scales_size, "a matrix' scales", e) : NULL;
  j.bad = malloc((size_t)members * sizeof *j.bad);
  if (!j.type->ternary) j.values = malloc(tern_mul((size_t)members * sizeof(float), (size_t)cols));
  if (!out->scales) goto out;
  if (!j.bad || (!j.values && !j.type->ternary)) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", tern_gguf_name(g));
    goto out;
  }
  for (int i = 0; i < members; i++) j.bad[i] = -1;
  tern_team_run(team, read_rows, &j);
  rc = 0;
  for (int i = 0; i < members && !rc; i++) {
    if (j.bad[i] >= 0) rc = tell(&j, i, tern_gguf_name(g), e);
  }
out:
  free(j.bad);
  free(j.values);
  if (rc) tern_coded_free(out);
  return rc;
}

void tern_coded_free(tern_coded *c) {
  tern_free(c->codes, c->codes_size);
  tern_free(c->scales, c->scales_size);
  *c = (tern_coded){0};
}

bool tern_coded_one_scale(const tern_coded *c, float *scale) {
  *scale = 0;
  for (int i = 0; i < c->rows; i++) {
    if (c->scales[i] == 0) continue;
    if (*scale != 0 && c->scales[i] != *scale) return false;
    *scale = c->scales[i];
  }
  return true;
}
