/* Rows of shapes.csv as shapes of the generator. The architecture follows from
 * what the row says of norms, biases and activation, by the table below: the
 * first rule that fits. */
#include "harness/shapes.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "harness/nearest.h"
#include "reports/csv_read.h"

static const struct {
  const char *activation, *norms; /* pieces of the row's text; "": any */
  const char *arch;
} rules[] = {
    {"relu2", "attn_sub_norm", "bitnet-b1.58"},
    {"silu", "attn_sub_norm", "bitnet"},
    {"gelu", "", "gemma3"},
    {"silu", "scale_emb", "minicpm"},
    {"silu", "bias", "qwen2"},
    {"silu", "q/k norm", "qwen3"},
    {"silu", "", "llama"},
};
enum { RULES = sizeof rules / sizeof *rules, MOST_NEAR = 3 };

static const struct {
  const char *column;
  size_t offset;
} dimensions[] = {
    {"layers", offsetof(tern_synth_shape, layers)},     {"hidden", offsetof(tern_synth_shape, hidden)},
    {"ffn", offsetof(tern_synth_shape, ffn)},           {"heads", offsetof(tern_synth_shape, heads)},
    {"kv_heads", offsetof(tern_synth_shape, kv_heads)}, {"head_dim", offsetof(tern_synth_shape, head_dim)},
    {"vocab", offsetof(tern_synth_shape, vocab)},
};

static const char *arch_of(const char *activation, const char *norms) {
  for (int i = 0; i < RULES; i++) {
    if (strstr(activation, rules[i].activation) && strstr(norms, rules[i].norms)) return rules[i].arch;
  }
  return NULL;
}

static int read_row(const tern_table *t, int row, tern_synth_shape *out, tern_error *e) {
  const char *name = tern_table_get(t, row, "model");
  const char *arch = arch_of(tern_table_get(t, row, "activation"), tern_table_get(t, row, "norms"));
  if (!arch) return tern_fail(e, TERN_FAILED, "shapes.csv: %s: no architecture for its norms and activation", name);
  *out = (tern_synth_shape){.rope_theta = tern_table_value(t, row, "rope_theta"),
                            .tied = strcmp(tern_table_get(t, row, "tied_embeddings"), "yes") == 0};
  snprintf(out->name, sizeof out->name, "%s", name);
  snprintf(out->arch, sizeof out->arch, "%s", arch);
  for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
    double v = tern_table_value(t, row, dimensions[i].column);
    if (!(v >= 1 && v <= 1 << 24 && v == floor(v))) {
      return tern_fail(e, TERN_FAILED, "shapes.csv: %s: column %s is no whole number from 1 up", name,
                       dimensions[i].column);
    }
    *(int *)((char *)out + dimensions[i].offset) = (int)v;
  }
  if (!(out->rope_theta > 0)) return tern_fail(e, TERN_FAILED, "shapes.csv: %s: no rope_theta", name);
  return 0;
}

/* Name of shape i; NULL past the end. */
static const char *name_at(const tern_table *t, int i) {
  return i < tern_table_rows(t) ? tern_table_get(t, i, "model") : NULL;
}

static int unknown(const tern_table *t, const char *name, tern_error *e) {
  const char *near[MOST_NEAR] = {0};
  int edits[MOST_NEAR];
  for (int i = 0; name_at(t, i); i++) {
    const char *candidate = name_at(t, i);
    int d = tern_name_distance(name, candidate), place = MOST_NEAR;
    while (place > 0 && (!near[place - 1] || d < edits[place - 1])) place--;
    for (int k = MOST_NEAR - 1; k > place; k--) {
      near[k] = near[k - 1];
      edits[k] = edits[k - 1];
    }
    if (place == MOST_NEAR) continue;
    near[place] = candidate;
    edits[place] = d;
  }
  return tern_fail(e, TERN_USAGE, "unknown shape '%.40s'; nearest: %s, %s, %s (all: ternmark synth --list)", name,
                   near[0], near[1], near[2]);
}

int tern_shapes_find(const char *name, tern_synth_shape *out, tern_error *e) {
  tern_table *t;
  int rc = tern_table_published(&t, "shapes.csv", e), i = 0;
  if (rc) return rc;
  while (name_at(t, i) && strcasecmp(name_at(t, i), name) != 0) i++;
  rc = name_at(t, i) ? read_row(t, i, out, e) : unknown(t, name, e);
  tern_table_free(t);
  return rc;
}

int tern_shapes_list(FILE *to, tern_error *e) {
  tern_table *t;
  int rc = tern_table_published(&t, "shapes.csv", e);
  if (rc) return rc;
  fprintf(to, "%-20s %-13s %6s %6s %6s %7s %8s  %s\n", "shape", "arch", "layers", "hidden", "ffn", "heads", "vocab",
          "family");
  for (int i = 0; name_at(t, i) && !rc; i++) {
    tern_synth_shape s;
    char heads[32];
    rc = read_row(t, i, &s, e);
    if (rc) break;
    snprintf(heads, sizeof heads, "%d/%d", s.heads, s.kv_heads);
    fprintf(to, "%-20s %-13s %6d %6d %6d %7s %8d  %s\n", s.name, s.arch, s.layers, s.hidden, s.ffn, heads, s.vocab,
            tern_table_get(t, i, "family"));
  }
  tern_table_free(t);
  return rc;
}
