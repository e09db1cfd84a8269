/* Every published shape, in the size of tests, from the generator to generated
 * tokens; what files of the families may lack or say, each named in one line;
 * embeddings. The bits are logits_probe's business. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/model/model.h"
#include "harness/shapes.h"
#include "tests/own_folder.h"
#include "tests/reference_file.h"

enum { TOKENS = 6, MOST_SHAPES = 64 };

static tern_gguf *open_file(const char *path) {
  tern_gguf *g;
  tern_error e = {0};
  if (tern_gguf_open(&g, path, &e)) fail_msg("%s", e.text);
  return g;
}

static tern_team *team_of(int threads) {
  tern_team *team;
  tern_error e = {0};
  assert_int_equal(tern_team_open(&team, threads, NULL, &e), 0);
  return team;
}

/* Greedy tokens after a fixed beginning, through prefill and single tokens. */
static void generate(const tern_gguf *g, const char *layout, tern_team *team, int32_t out[TOKENS]) {
  const tern_model_params params = {.layout = layout, .isa_cap = TERN_ISA_COUNT};
  static const int32_t start[] = {3, 141, 59, 26, 5};
  tern_model *m;
  tern_session *s;
  tern_error e = {0};
  if (tern_model_load(&m, g, &params, team, &e)) fail_msg("%s", e.text);
  if (tern_session_open(&s, m, team, &(tern_session_params){.context = 32}, &e)) fail_msg("%s", e.text);
  int32_t next;
  if (tern_session_greedy(s, start, 5, &next, NULL, &e)) fail_msg("%s", e.text);
  for (int i = 0; i < TOKENS; i++) {
    out[i] = next;
    assert_in_range(next, 0, tern_model_describe(m)->vocab - 1);
    if (tern_session_greedy(s, &out[i], 1, &next, NULL, &e)) fail_msg("%s", e.text);
  }
  tern_session_close(s);
  tern_model_close(m);
}

/* Names of all shapes, from the listing that users see. */
static int shape_names(char names[MOST_SHAPES][32]) {
  FILE *f = tmpfile();
  tern_error e = {0};
  char line[400];
  int n = 0;
  assert_int_equal(tern_shapes_list(f, &e), 0);
  rewind(f);
  assert_non_null(fgets(line, sizeof line, f)); /* the heading */
  while (n < MOST_SHAPES && fgets(line, sizeof line, f)) assert_int_equal(sscanf(line, "%31s", names[n++]), 1);
  fclose(f);
  return n;
}

/* Types of the projections and layouts of each; a float twin and the float file
 * itself hold the same values and so give the same tokens. */
static void every_shape_generates_in_every_layout(void **state) {
  (void)state;
  static const struct {
    const char *type, *layouts[6];
  } ways[] = {{"i2_s", {"t2", "t5", "q8", "f32"}}, {"f32", {"f32"}},  {"q8_0", {"q8b32", "f16"}},
              {"q2_0", {"t2b64", "f32"}},          {"tq1_0", {"t2"}}, {"q4_0", {"q4b32"}}};
  char names[MOST_SHAPES][32];
  int count = shape_names(names), floats = 0;
  folder dir = folder_open();
  tern_team *team = team_of(2);
  for (int i = 0; i < count; i++) {
    tern_synth_shape shape;
    tern_error e = {0};
    int32_t twin[2][TOKENS] = {0};
    assert_int_equal(tern_shapes_find(names[i], &shape, &e), 0);
    shape = tern_synth_shrunk(&shape);
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
      const tern_synth_params p = {.type = tern_dtype_by_name(ways[k].type), .head = tern_dtype_by_name("f32")};
      if (tern_synth(folder_path(&dir, "m"), &shape, &p, team, &e)) fail_msg("%s", e.text);
      tern_gguf *g = open_file(folder_path(&dir, "m"));
      for (int l = 0; ways[k].layouts[l]; l++) {
        int32_t out[TOKENS];
        generate(g, ways[k].layouts[l], team, out);
        bool same = strcmp(ways[k].layouts[l], "f32") == 0 && k < 2; /* the ternary file's twin, the float file */
        if (same) memcpy(twin[k], out, sizeof out);
        floats += same;
      }
      tern_gguf_close(g);
    }
    assert_memory_equal(twin[0], twin[1], sizeof twin[0]);
  }
  assert_int_equal(floats, 2 * count);
  tern_team_close(team);
  folder_close(&dir);
}

static int load(const char *arch, const char *body, const tiny_family *family, const tiny_fault *fault,
                const char *layout, tern_error *e) {
  const tiny_shape shape = {arch, 2, 512, 512, 16, 2, 50, 32, body, "F16", false, 0, 0};
  const tern_model_params params = {.layout = layout, .isa_cap = TERN_ISA_COUNT};
  char path[64];
  tern_model *m = NULL;
  tiny_write_family(path, &shape, family, fault, 5);
  tern_gguf *g = open_file(path);
  unlink(path);
  tern_team *team = team_of(2);
  int rc = tern_model_load(&m, g, &params, team, e);
  if (!rc) tern_model_close(m);
  tern_team_close(team);
  tern_gguf_close(g);
  return rc;
}

static void what_a_family_lacks_or_cannot_do_is_one_line(void **state) {
  (void)state;
  static const struct {
    const char *arch, *body, *layout;
    tiny_family family;
    tiny_fault fault;
    const char *part; /* of the message; NULL: it loads */
  } cases[] = {
      {"qwen2", "F16", NULL, {0}, {.missing = "blk.1.attn_k.bias"}, "tensor blk.1.attn_k.bias is missing"},
      {"qwen2",
       "F16",
       NULL,
       {0},
       {.nan_in = "blk.0.attn_v.bias"},
       "blk.0.attn_v.bias holds a value that is not finite"},
      {"qwen3", "F16", NULL, {0}, {.missing = "blk.0.attn_q_norm.weight"}, "blk.0.attn_q_norm.weight is missing"},
      {"qwen3", "F16", NULL, {0}, {.longer = "blk.0.attn_k_norm.weight"}, "has 64 columns and 1 rows, want 32 and 1"},
      {"qwen3", "F16", NULL, {.input_norms = true}, {.missing = "blk.1.attn_k_norm_in.weight"}, NULL},
      {"gemma3", "F16", NULL, {0}, {.missing = "blk.1.post_ffw_norm.weight"}, "blk.1.post_ffw_norm.weight is missing"},
      {"llama", "F16", NULL, {.input_norms = true}, {0}, "blk.0.attn_q_norm_in.weight has no place in architecture"},
      {"llama", "F16", NULL, {.scaling = "freqs"}, {.longer = "rope_freqs.weight"}, "rope_freqs.weight has 32 columns"},
      {"llama", "F16", NULL, {.scaling = "freqs"}, {.nan_in = "rope_freqs.weight"}, "holds nan, want numbers above 0"},
      {"llama", "F16", NULL, {.scaling = "longrope"}, {0}, "RoPE scaling \"longrope\" is not supported"},
      {"qwen3",
       "F16",
       NULL,
       {.scaling = "yarn", .key = "rope.scaling.yarn_ext_factor", .number = 0.5f},
       {0},
       "yarn_ext_factor is 0.5: only 1 is supported"},
      {"gemma3", "F16", NULL, {.key = "final_logit_softcapping", .number = 30}, {0}, "softcapping is 30, which is not"},
      {"minicpm", "F16", NULL, {.key = "embedding_scale", .number = INFINITY}, {0}, "embedding_scale is inf, want"},
      {"qwen3", "Q2_0", "t2", {.uneven = true}, {0}, "has blocks of unequal scale (--layout t2b64 or t2b128"},
      {"qwen3", "Q2_0", "t2b128", {.uneven = true}, {0}, "has a scale for fewer columns than the layout"},
      {"qwen3", "Q2_0", "q8", {.uneven = true}, {0}, NULL},
      {"qwen3", "Q2_0", NULL, {.uneven = true}, {0}, NULL},
      {"llama", "TQ2_0", NULL, {.uneven = true}, {0}, NULL}, /* TriLM: shards with scales of their own */
      {"llama", "TQ2_0", "t5", {.uneven = true}, {0}, "has blocks of unequal scale (--layout t2b64 or t2b128"},
      {"qwen3", "Q2_0", NULL, {0}, {.nan_in = "blk.1.ffn_up.weight"}, "blk.1.ffn_up.weight, row 0 holds a weight or"},
      {"qwen3", "I2_S", "t2b64", {0}, {0}, "has a scale that no f16 is equal to"},
      {"llama", "F16", "t2b64", {0}, {0}, "float weights cannot be used in the ternary layout t2b64"},
      {"llama", "Q2_0", NULL, {.dead = true}, {0}, NULL},
      {"llama", "I2_S", NULL, {.dead = true}, {0}, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_error e = {0};
    int rc = load(cases[i].arch, cases[i].body, &cases[i].family, &cases[i].fault, cases[i].layout, &e);
    bool right = cases[i].part ? rc == TERN_FAILED && strstr(e.text, cases[i].part) && !strchr(e.text, '\n') : rc == 0;
    if (!right) fail_msg("case %zu: status %d, \"%s\", want \"%s\"", i, rc, e.text, cases[i].part);
  }
}

/* Weights of scale 0 add nothing: logits are those of the embedding alone, and finite. */
static void rows_of_scale_zero_are_zero(void **state) {
  (void)state;
  static const char *const types[] = {"I2_S", "Q2_0", "TQ2_0"};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    const tiny_shape shape = {"llama", 1, 256, 256, 4, 2, 300, 32, types[i], "F16", false, 0, 0};
    char path[64];
    int32_t out[TOKENS];
    tiny_write_family(path, &shape, &(tiny_family){.dead = true}, NULL, 5);
    tern_gguf *g = open_file(path);
    unlink(path);
    tern_team *team = team_of(1);
    generate(g, NULL, team, out);
    for (int k = 1; k < TOKENS; k++) assert_int_equal(out[k], out[0]); /* a tied head gives the token back */
    tern_team_close(team);
    tern_gguf_close(g);
  }
}

static void embed(const tern_model *m, tern_team *team, int batch, tern_pooling pooling, const int32_t *ids, int n,
                  float *out) {
  tern_session *s;
  tern_error e = {0};
  if (tern_session_open(&s, m, team, &(tern_session_params){.context = 32, .batch = batch}, &e)) fail_msg("%s", e.text);
  if (tern_session_embed(s, ids, n, pooling, out, &e)) fail_msg("%s", e.text);
  tern_session_close(s);
}

/* Length 1; the same for every chunk size and team; the last token's pooling
 * depends on what comes before it, the first's does not on what comes after. */
static void embeddings_are_pooled_and_of_length_one(void **state) {
  (void)state;
  enum { HIDDEN = 256, N = 9 };
  folder dir = folder_open();
  tern_synth_shape shape;
  tern_error e = {0};
  tern_team *team = team_of(3), *one = team_of(1);
  tern_model *m;
  float a[HIDDEN], b[HIDDEN];
  int32_t ids[N];
  assert_int_equal(tern_shapes_find("BitNet-embedding-270M", &shape, &e), 0);
  shape = tern_synth_shrunk(&shape);
  if (tern_synth(folder_path(&dir, "m"), &shape, &(tern_synth_params){0}, team, &e)) fail_msg("%s", e.text);
  tern_gguf *g = open_file(folder_path(&dir, "m"));
  assert_non_null(tern_gguf_tensor_find(g, "blk.0.attn_output_norm_in.weight"));
  if (tern_model_load(&m, g, &(tern_model_params){.isa_cap = TERN_ISA_COUNT}, team, &e)) fail_msg("%s", e.text);
  assert_int_equal(tern_model_describe(m)->pooling, TERN_POOLING_LAST);
  assert_int_equal(tern_model_describe(m)->hidden, HIDDEN);
  for (int i = 0; i < N; i++) ids[i] = 17 * i + 4;
  for (int pooling = TERN_POOLING_MEAN; pooling <= TERN_POOLING_LAST; pooling++) {
    double length = 0;
    embed(m, team, 64, (tern_pooling)pooling, ids, N, a);
    embed(m, one, 4, (tern_pooling)pooling, ids, N, b);
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < HIDDEN; i++) length += (double)a[i] * (double)a[i];
    assert_true(fabs(length - 1) < 1e-5);
    ids[pooling == TERN_POOLING_CLS ? N - 1 : 0]++;
    embed(m, team, 64, (tern_pooling)pooling, ids, N, b);
    assert_int_equal(memcmp(a, b, sizeof a) == 0, pooling == TERN_POOLING_CLS);
  }
  tern_session *s;
  assert_int_equal(tern_session_open(&s, m, team, &(tern_session_params){.context = 32}, &e), 0);
  assert_int_equal(tern_session_embed(s, ids, N, TERN_POOLING_NONE, a, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "names no pooling"));
  tern_session_close(s);
  tern_model_close(m);
  tern_gguf_close(g);
  tern_team_close(team);
  tern_team_close(one);
  folder_close(&dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_shape_generates_in_every_layout),
      cmocka_unit_test(what_a_family_lacks_or_cannot_do_is_one_line),
      cmocka_unit_test(rows_of_scale_zero_are_zero),
      cmocka_unit_test(embeddings_are_pooled_and_of_length_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
