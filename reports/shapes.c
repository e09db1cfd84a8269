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

int tern_shape_find(const char *name, tern_shape *out, tern_error *e) {
  tern_table *t;
  if (tern_table_published(&t, "shapes.csv", e)) return (int)e->status;
  int row = 0, status = 0;
  while (row < tern_table_rows(t) && strcasecmp(tern_table_get(t, row, "model"), name) != 0) row++;
  if (row == tern_table_rows(t)) {
    status = unknown(t, name, e);
    goto out;
  }
  *out = (tern_shape){0};
  snprintf(out->name, sizeof out->name, "%s", tern_table_get(t, row, "model"));
  snprintf(out->family, sizeof out->family, "%s", tern_table_get(t, row, "family"));
  snprintf(out->activation, sizeof out->activation, "%s", tern_table_get(t, row, "activation"));
  snprintf(out->norms, sizeof out->norms, "%s", tern_table_get(t, row, "norms"));
  for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
    double value;
    status = tern_table_real(t, row, tern_table_column(t, dimensions[i].column), &value, e);
    if (status) goto out;
    if (!(value >= 1 && value <= 1e9 && value == floor(value))) {
      status = tern_fail(e, TERN_FAILED, "shapes.csv: %s: %s must be a whole number from 1 on", out->name,
                         dimensions[i].column);
      goto out;
    }
    *(int *)((char *)out + dimensions[i].offset) = (int)value;
  }
  out->rope_theta = tern_table_value(t, row, "rope_theta");
  out->tied = strcmp(tern_table_get(t, row, "tied_embeddings"), "yes") == 0;
out:
  tern_table_free(t);
  return status;
}

double tern_shape_body_weights(const tern_shape *s) {
  double h = s->hidden, q = (double)s->heads * s->head_dim, kv = (double)s->kv_heads * s->head_dim;
  return s->layers * (2 * h * q + 2 * h * kv + 3 * h * s->ffn);
}
