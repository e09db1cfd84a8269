/* Model shapes: rows of published/shapes.csv turned into numbers. */
#include "reports/shapes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reports/csv_read.h"

static const struct {
  const char *column;
  size_t offset;
} dimensions[] = {
    {"layers", offsetof(tern_shape, layers)},     {"hidden", offsetof(tern_shape, hidden)},
    {"ffn", offsetof(tern_shape, ffn)},           {"heads", offsetof(tern_shape, heads)},
    {"kv_heads", offsetof(tern_shape, kv_heads)}, {"head_dim", offsetof(tern_shape, head_dim)},
    {"vocab", offsetof(tern_shape, vocab)},
};

static int unknown(const tern_table *t, const char *name, tern_error *e) {
  char names[400] = "";
  size_t n = 0;
  for (int row = 0; row < tern_table_rows(t) && n < sizeof names - 34; row++)
    n += (size_t)snprintf(names + n, sizeof names - n, "%s%.30s", row ? ", " : "", tern_table_get(t, row, "model"));
  return tern_fail(e, TERN_FAILED, "%.40s: no such shape; known: %s", name, names);
}

int tern_shape_read(const tern_table *t, int row, tern_shape *out, tern_error *e) {
  *out = (tern_shape){.rope_theta = tern_table_value(t, row, "rope_theta"),
                      .tied = strcmp(tern_table_get(t, row, "tied_embeddings"), "yes") == 0};
  snprintf(out->name, sizeof out->name, "%s", tern_table_get(t, row, "model"));
  snprintf(out->family, sizeof out->family, "%s", tern_table_get(t, row, "family"));
  snprintf(out->activation, sizeof out->activation, "%s", tern_table_get(t, row, "activation"));
  snprintf(out->norms, sizeof out->norms, "%s", tern_table_get(t, row, "norms"));
  for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
    double value;
    if (tern_table_real(t, row, tern_table_column(t, dimensions[i].column), &value, e)) return (int)e->status;
    if (!(value >= 1 && value <= 1 << 24 && value == floor(value))) {
      return tern_fail(e, TERN_FAILED, "shapes.csv: %s: %s must be a whole number from 1 on", out->name,
                       dimensions[i].column);
    }
    *(int *)((char *)out + dimensions[i].offset) = (int)value;
  }
  if (!(out->rope_theta > 0)) return tern_fail(e, TERN_FAILED, "shapes.csv: %s: no rope_theta", out->name);
  return 0;
}

int tern_shape_find(const char *name, tern_shape *out, tern_error *e) {
  tern_table *t;
  if (tern_table_published(&t, "shapes.csv", e)) return (int)e->status;
  int row = 0;
  while (row < tern_table_rows(t) && strcasecmp(tern_table_get(t, row, "model"), name) != 0) row++;
  int status = row < tern_table_rows(t) ? tern_shape_read(t, row, out, e) : unknown(t, name, e);
  tern_table_free(t);
  return status;
}

double tern_shape_body_weights(const tern_shape *s) {
  double h = s->hidden, q = (double)s->heads * s->head_dim, kv = (double)s->kv_heads * s->head_dim;
  return s->layers * (2 * h * q + 2 * h * kv + 3 * h * s->ffn);
}
