/* Rows of shapes.csv as shapes of the generator. The architecture follows from
 * what the row says of norms, biases and activation, by the table below: the
 * first rule that fits. */
#include "harness/shapes.h"

#include <string.h>
#include <strings.h>

#include "engine/base/nearest.h"
#include "reports/shapes.h"

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

/* Rows that say a norm lies in front of every projection: BitNet embeddings. */
static const char input_norms[] = "before each projection";

/* Family of the models that the 2B4T report compares with: nobody has ternary weights of them. */
static const char compared[] = "2B4T Table 1 peer";

/* RoPE scaling of LLaMA 3.1 and later, which the table does not say. Source: the models' own config.json. */
static const struct {
  const char *model; /* begins with */
  double factor;
} llama3[] = {{"LLaMA-3.1", 8}, {"LLaMA-3.2", 32}};

static double llama3_of(const char *model) {
  for (size_t i = 0; i < sizeof llama3 / sizeof *llama3; i++) {
    if (strncmp(model, llama3[i].model, strlen(llama3[i].model)) == 0) return llama3[i].factor;
  }
  return 0;
}

static const char *arch_of(const char *activation, const char *norms) {
  for (int i = 0; i < RULES; i++) {
    if (strstr(activation, rules[i].activation) && strstr(norms, rules[i].norms)) return rules[i].arch;
  }
  return NULL;
}

static int read_row(const tern_table *t, int row, tern_synth_shape *out, tern_error *e) {
  tern_shape s;
  if (tern_shape_read(t, row, &s, e)) return (int)e->status;
  const char *arch = arch_of(s.activation, s.norms);
  if (!arch) return tern_fail(e, TERN_FAILED, "shapes.csv: %s: no architecture for its norms and activation", s.name);
  *out = (tern_synth_shape){.layers = s.layers,
                            .hidden = s.hidden,
                            .ffn = s.ffn,
                            .heads = s.heads,
                            .kv_heads = s.kv_heads,
                            .head_dim = s.head_dim,
                            .vocab = s.vocab,
                            .rope_theta = s.rope_theta,
                            .tied = s.tied,
                            .input_norms = strstr(s.norms, input_norms) != NULL,
                            .llama3_factor = llama3_of(s.name),
                            .full_precision = strcmp(tern_table_get(t, row, "family"), compared) == 0};
  snprintf(out->name, sizeof out->name, "%s", s.name);
  snprintf(out->arch, sizeof out->arch, "%s", arch);
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
