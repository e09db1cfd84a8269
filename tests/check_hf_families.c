/* Hugging Face folders of every family compute what transformers computes:
 * names, row order, gains, RoPE, windows, ternary masters. The numbers were
 * made by tests/fixtures/hf/make.py; the folders hold the same values. And what
 * runs from a folder runs from the GGUF file made of it, bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/format/convert.h"
#include "engine/format/hf_export.h"
#include "engine/format/hf_parts.h"
#include "engine/model/model.h"
#include "tests/hf_fixture.h"
#include "tests/scratch.h"

enum { PROMPT = 48, SHOWN = 6, VOCAB = 512 };

typedef struct scene {
  char folder[256];
  tern_team *team;
} scene;

static int open_scene(void **state) {
  static scene s;
  tern_error e;
  scratch_make(s.folder, sizeof s.folder);
  if (tern_team_open(&s.team, 2, NULL, &e)) return -1;
  *state = &s;
  return 0;
}

static int close_scene(void **state) {
  scene *s = *state;
  tern_team_close(s->team);
  scratch_remove(s->folder);
  return 0;
}

/* Logits after the prompt that make.py has, too. */
static void logits_of(scene *s, const char *path, float *logits) {
  tern_error e = {0};
  tern_gguf *g;
  tern_model *m = NULL;
  tern_session *session = NULL;
  const tern_model_params params = {.isa_cap = TERN_ISA_COUNT, .head_layout = "f32"};
  const tern_session_params sizes = {.context = 64, .kv = TERN_KV_F32};
  int32_t ids[PROMPT];
  for (int i = 0; i < PROMPT; i++) ids[i] = 1 + 37 * i % 509;
  if (tern_gguf_open(&g, path, &e) || tern_model_load(&m, g, &params, s->team, &e) ||
      tern_session_open(&session, m, s->team, &sizes, &e) ||
      tern_session_eval(session, ids, PROMPT, TERN_WANT_LAST, logits, &e))
    fail_msg("%s", e.text);
  tern_session_close(session);
  tern_model_close(m);
  tern_gguf_close(g);
}

static const char *make_folder(scene *s, const char *name, const hf_fixture *f) {
  static char path[600];
  snprintf(path, sizeof path, "%s/%s", s->folder, name);
  hf_fixture_write(path, f);
  return path;
}

static void logits_are_those_of_transformers(void **state) {
  static const struct {
    const char *class_name, *variant;
    int best;
    float shown[SHOWN];
  } rows[] = {
      {"LlamaForCausalLM", "plain", 213, {-1.2859f, -7.9835f, -0.4329f, -10.9262f, -9.3626f, 4.0953f}},
      {"LlamaForCausalLM", "llama3", 213, {-6.5317f, -8.0254f, 1.7092f, -9.1809f, -10.0127f, -4.2754f}},
      {"LlamaForCausalLM", "untied", 227, {-1.4076f, -2.0368f, 0.1909f, -0.2544f, 1.5708f, 1.5509f}},
      {"LlamaForCausalLM", "online", 213, {-12.8365f, 4.2817f, -4.5611f, -2.8999f, 3.0465f, 2.5153f}},
      {"Qwen2ForCausalLM", "plain", 213, {-1.5020f, -8.8665f, -0.4350f, -11.4481f, -6.4489f, 2.0994f}},
      {"Qwen3ForCausalLM", "plain", 213, {0.8986f, -9.0216f, 0.2936f, -9.5383f, -10.6014f, 5.5233f}},
      {"Gemma3ForCausalLM", "windows", 213, {-17.0692f, -1.7111f, 0.3119f, -8.5206f, -3.0640f, 2.3414f}},
      {"BitNetForCausalLM", "online", 213, {-11.2295f, -8.2060f, 1.9626f, -17.0125f, 1.0578f, 5.8102f}},
  };
  static const int shown[SHOWN] = {0, 100, 200, 300, 400, 511};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    hf_fixture f = hf_fixture_of(rows[i].class_name);
    bool online = strcmp(rows[i].variant, "online") == 0;
    char name[80];
    float logits[VOCAB];
    int best = 0;
    f.untied = strcmp(rows[i].variant, "untied") == 0;
    f.store = online ? HF_ONLINE : HF_DENSE;
    if (strcmp(rows[i].variant, "llama3") == 0)
      f.extra = "\"rope_theta\": 500000.0, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, "
                "\"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 32}, ";
    if (strcmp(rows[i].variant, "windows") == 0) {
      f.layers = 7;
      f.extra = "\"sliding_window\": 16, \"query_pre_attn_scalar\": 100, \"rope_local_base_freq\": 10000.0, ";
    }
    snprintf(name, sizeof name, "%s-%s", rows[i].class_name, rows[i].variant);
    logits_of(*state, make_folder(*state, name, &f), logits);
    for (int k = 1; k < VOCAB; k++) best = logits[k] > logits[best] ? k : best;
    assert_int_equal(best, rows[i].best);
    for (int k = 0; k < SHOWN; k++) { /* of 15; int8 activations round to either side */
      float off = fabsf(logits[shown[k]] - rows[i].shown[k]);
      if (off > (online ? 0.1f : 0.002f))
        fail_msg("%s: logit %d is %g, want %g", name, shown[k], (double)logits[shown[k]], (double)rows[i].shown[k]);
    }
  }
}

static void a_folder_and_its_gguf_file_are_one_model(void **state) {
  scene *s = *state;
  int n = 0;
  for (int i = 0; tern_hf_family_at(i); i++) {
    for (hf_store store = HF_DENSE; store <= HF_ONLINE; store++) {
      hf_fixture f = hf_fixture_of(tern_hf_family_at(i)->classes[0]);
      char name[80], out[600];
      float folder[VOCAB], file[VOCAB];
      tern_error e = {0};
      tern_gguf *g;
      f.store = store;
      f.sharded = (n & 1) != 0;
      f.type = n % 3 == 2 ? TERN_SAFE_F16 : TERN_SAFE_BF16;
      snprintf(name, sizeof name, "model%d", n++);
      snprintf(out, sizeof out, "%s/%s.gguf", s->folder, name);
      const char *path = make_folder(s, name, &f);
      logits_of(s, path, folder);
      const tern_convert_params p = {0};
      if (tern_gguf_open(&g, path, &e) || tern_convert(g, out, &p, s->team, &e)) fail_msg("%s", e.text);
      tern_gguf_close(g);
      logits_of(s, out, file);
      if (memcmp(folder, file, sizeof file) != 0) fail_msg("%s, stored way %d", f.class_name, (int)store);
    }
  }
}

/* Names, row order, gains and packing there and back; the numbers of config.json, too. */
static void an_exported_folder_is_the_same_model(void **state) {
  scene *s = *state;
  for (int i = 0; tern_hf_family_at(i); i++) {
    for (hf_store store = HF_DENSE; store <= HF_PACKED; store++) {
      hf_fixture f = hf_fixture_of(tern_hf_family_at(i)->classes[0]);
      char name[80], out[600];
      float given[VOCAB], exported[VOCAB];
      tern_error e = {0};
      tern_gguf *g;
      f.store = store;
      f.untied = strcmp(f.class_name, "LlamaForCausalLM") == 0;
      f.extra = "\"rope_theta\": 25000.0, \"scale_emb\": 3, \"scale_depth\": 1.5, \"dim_model_base\": 64, "
                "\"sliding_window\": 16, ";
      snprintf(name, sizeof name, "given%d-%d", i, (int)store);
      snprintf(out, sizeof out, "%s/exported%d-%d", s->folder, i, (int)store);
      const char *path = make_folder(s, name, &f);
      logits_of(s, path, given);
      if (tern_gguf_open(&g, path, &e) || tern_hf_export(g, out, TERN_I2S_AUTO, s->team, &e)) fail_msg("%s", e.text);
      tern_gguf_close(g);
      logits_of(s, out, exported);
      for (int k = 0; k < VOCAB; k++) {
        if (fabsf(given[k] - exported[k]) > 1e-4f) fail_msg("%s: logit %d differs", f.class_name, k);
      }
    }
  }
}

/* Embedding models of BitNet: a norm in front of each projection makes its weights masters. */
static void input_norms_make_a_ternary_model(void **state) {
  static const char *const classes[] = {"Qwen3ForCausalLM", "Gemma3ForCausalLM"};
  for (int i = 0; i < 2; i++) {
    hf_fixture f = hf_fixture_of(classes[i]);
    float with[VOCAB], without[VOCAB];
    tern_error e;
    tern_gguf *g;
    char name[80];
    f.input_norms = true;
    f.extra = "\"sliding_window\": 16, ";
    snprintf(name, sizeof name, "norms%d", i);
    const char *path = make_folder(*state, name, &f);
    logits_of(*state, path, with);
    if (tern_gguf_open(&g, path, &e)) fail_msg("%s", e.text);
    const tern_gguf_tensor *t = tern_gguf_tensor_find(g, "blk.1.ffn_down.weight");
    assert_true(t && t->type->ternary && tern_gguf_tensor_find(g, "blk.1.ffn_down_norm_in.weight"));
    tern_gguf_close(g);
    f.input_norms = false;
    f.store = HF_ONLINE;
    snprintf(name, sizeof name, "plain%d", i);
    logits_of(*state, make_folder(*state, name, &f), without);
    assert_memory_not_equal(with, without, sizeof with);
  }
}

/* weight_scale is a factor for one of transformers' classes, a divisor for the other. */
static void both_readings_of_weight_scale_give_the_same_matrix(void **state) {
  scene *s = *state;
  hf_fixture f = hf_fixture_of("LlamaForCausalLM");
  float logits[2][VOCAB];
  f.store = HF_PACKED;
  logits_of(s, make_folder(s, "times", &f), logits[0]);
  f.store = HF_PACKED_DIVIDES;
  logits_of(s, make_folder(s, "divides", &f), logits[1]);
  for (int k = 0; k < VOCAB; k++) assert_true(fabsf(logits[0][k] - logits[1][k]) < 0.05f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(logits_are_those_of_transformers, open_scene, close_scene),
      cmocka_unit_test_setup_teardown(a_folder_and_its_gguf_file_are_one_model, open_scene, close_scene),
      cmocka_unit_test_setup_teardown(an_exported_folder_is_the_same_model, open_scene, close_scene),
      cmocka_unit_test_setup_teardown(input_norms_make_a_ternary_model, open_scene, close_scene),
      cmocka_unit_test_setup_teardown(both_readings_of_weight_scale_give_the_same_matrix, open_scene, close_scene),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
