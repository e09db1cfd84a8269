/* Hugging Face folders: what is wrong with one is told in a line that names the
 * file, the field and what to do; nothing crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/format/gguf.h"
#include "tests/hf_fixture.h"
#include "tests/scratch.h"

static char folder[256], model[300];

static int make_scratch(void **state) {
  (void)state;
  scratch_make(folder, sizeof folder);
  snprintf(model, sizeof model, "%s/model", folder);
  return 0;
}

static int remove_scratch(void **state) {
  (void)state;
  scratch_remove(folder);
  return 0;
}

/* Small enough for many, the layers of a real one. */
static hf_fixture small(const char *class_name, hf_store store) {
  hf_fixture f = hf_fixture_of(class_name);
  f.store = store;
  f.layers = 1;
  f.hidden = 16;
  f.ffn = 32;
  f.heads = 2;
  f.kv_heads = 1;
  f.head_dim = 8;
  f.vocab = 8;
  return f;
}

static void make(const hf_fixture *f) {
  scratch_remove(model);
  hf_fixture_write(model, f);
}

static char *path_of(const char *name) {
  static char path[600];
  snprintf(path, sizeof path, "%s/%s", model, name);
  return path;
}

static void expect_refusal(const char *part) {
  tern_error e = {0};
  tern_gguf *g;
  if (tern_gguf_open(&g, model, &e) == 0) fail_msg("taken, want a complaint about '%s'", part);
  if (!strstr(e.text, part) || !strstr(e.text, model)) fail_msg("'%s' does not tell '%s'", e.text, part);
}

static tern_gguf *expect_model(void) {
  tern_error e = {0};
  tern_gguf *g;
  if (tern_gguf_open(&g, model, &e)) fail_msg("%s", e.text);
  return g;
}

/* Sets one field of config.json; value NULL: takes it away. */
static void set_field(const char *field, const char *value) {
  json_t *root = json_load_file(path_of("config.json"), 0, NULL);
  assert_non_null(root);
  if (value) json_object_set_new(root, field, json_loads(value, JSON_DECODE_ANY, NULL));
  if (!value) json_object_del(root, field);
  assert_int_equal(json_dump_file(root, path_of("config.json"), 0), 0);
  json_decref(root);
}

static void configs_that_cannot_be_run_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *field, *value, *part;
  } rows[] = {{"architectures", "[\"MambaForCausalLM\"]", "MambaForCausalLM are not supported"},
              {"hidden_size", NULL, "field hidden_size is missing"},
              {"hidden_size", "-3", "field hidden_size"},
              {"num_hidden_layers", "1.5", "field num_hidden_layers"},
              {"num_hidden_layers", "1e300", "field num_hidden_layers"},
              {"num_attention_heads", "\"4\"", "field num_attention_heads"},
              {"head_dim", "7", "field head_dim is 7"},
              {"hidden_act", "\"gelu\"", "field hidden_act is gelu"},
              {"quantization_config", "{\"quant_method\": \"gptq\"}", "method gptq is not supported"},
              {"rope_scaling", "{\"type\": \"dynamic\", \"factor\": 4}", "type dynamic is not supported"},
              {"rope_scaling", "{\"type\": \"yarn\", \"factor\": 4}", "original_max_position_embeddings"},
              {"rope_scaling", "{\"rope_type\": \"llama3\", \"factor\": 0}", "field rope_scaling"},
              {"rms_norm_eps", "\"small\"", "field rms_norm_eps"},
              {"use_sliding_window", "true", "use_sliding_window"},
              {"partial_rotary_factor", "0.5", "partial_rotary_factor is 0.5"},
              {"final_logit_softcapping", "30.0", "final_logit_softcapping"},
              {"vocab_size", "9", "embed_tokens.weight has 8 rows, but config.json says vocab_size 9"},
              {"vocab_size", NULL, "vocab_size"},
              {"num_key_value_heads", "2", "k_proj.weight has 8 rows, but config.json says 2 heads of 8"},
              {"tie_word_embeddings", "false", "lm_head.weight is missing"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    hf_fixture f = small("LlamaForCausalLM", HF_DENSE);
    make(&f);
    set_field(rows[i].field, rows[i].value);
    expect_refusal(rows[i].part);
  }
  hf_fixture bitnet = small("BitNetForCausalLM", HF_DENSE);
  bitnet.untied = true;
  make(&bitnet);
  expect_refusal("has no head of its own");
  for (size_t i = 0; i < 2; i++) {
    FILE *out = fopen(path_of("config.json"), "w");
    fputs(i ? "[1, 2]" : "{\"hidden_size\": ", out);
    fclose(out);
    expect_refusal("config.json: no JSON object");
  }
  unlink(path_of("config.json"));
  expect_refusal("no config.json here");
}

/* A file of tensors by hand: JSON header and so many bytes of a value. */
static void save(const char *name, const char *header, size_t bytes, int value) {
  FILE *out = fopen(path_of(name), "w");
  uint64_t length = strlen(header);
  assert_non_null(out);
  fwrite(&length, sizeof length, 1, out);
  fputs(header, out);
  for (size_t i = 0; i < bytes; i++) fputc(value, out);
  fclose(out);
}

static void files_of_tensors_that_lie_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *header;
    size_t bytes;
    const char *part;
  } rows[] = {
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "truncated: tensor 'a'"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, "1 bytes after the last tensor"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "other bytes than shape and dtype"},
      {"{\"a\":{\"dtype\":\"Q4\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype Q4 is not known"},
      {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype is missing"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "no size"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "other bytes"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "no range"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "shape is no list"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
       "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
       12, "tensor 'b': overlaps"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
       "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}",
       20, "leaves a hole"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
       "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
       8, "duplicate"},
      {"{\"a\":7}", 0, "no object"},
      {"[]", 0, "no JSON object"},
      {"{\"a\"", 0, "no JSON object"},
      {"{\"model.layers.0.self_attn.q_proj.weight\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]}}", 8,
       "dtype F64 is not supported"},
      {"{\"model.norm.weight\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8, "dtype U8"},
      {"{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", 8, "is no vector"},
      {"{\"model.layers.3.mlp.up_proj.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", 8,
       "num_hidden_layers 1"},
      {"{\"model.layers.0.mlp.router.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", 8,
       "router.weight has no place"},
      {"{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
       "\"norm.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
       16, "duplicate tensor 'output_norm.weight'"},
  };
  hf_fixture f = small("LlamaForCausalLM", HF_DENSE);
  make(&f);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    save("model.safetensors", rows[i].header, rows[i].bytes, 0);
    expect_refusal(rows[i].part);
  }
  FILE *out = fopen(path_of("model.safetensors"), "w");
  fputs("\xff\xff\xff\xff\xff\xff\xff\x7f{}", out);
  fclose(out);
  expect_refusal("a header of 9223372036854775807 bytes cannot be in 10 bytes");
  unlink(path_of("model.safetensors"));
  expect_refusal("neither model.safetensors nor model.safetensors.index.json is here");
}

static void every_cut_of_a_file_is_refused(void **state) {
  (void)state;
  hf_fixture f = small("BitNetForCausalLM", HF_PACKED);
  size_t size;
  tern_error e;
  make(&f);
  char *whole = tern_file_read(path_of("model.safetensors"), 1 << 20, &size, &e);
  assert_non_null(whole);
  for (size_t n = 1; n < size; n += n < 20 ? 1 : 61) {
    FILE *out = fopen(path_of("model.safetensors"), "w");
    assert_int_equal(fwrite(whole, 1, n, out), n);
    fclose(out);
    expect_refusal("model.safetensors");
  }
  free(whole);
}

static void shards_are_all_there_or_refused(void **state) {
  (void)state;
  hf_fixture f = small("Qwen2ForCausalLM", HF_DENSE);
  f.sharded = true;
  make(&f);
  tern_gguf_close(expect_model());
  json_t *index = json_load_file(path_of("model.safetensors.index.json"), 0, NULL);
  json_object_set_new(json_object_get(index, "weight_map"), "model.norm.weight",
                      json_string("model-00001-of-00002.safetensors"));
  json_dump_file(index, path_of("model.safetensors.index.json"), 0);
  expect_refusal("tensor model.norm.weight is not in model-00001-of-00002.safetensors");
  json_object_set_new(json_object_get(index, "weight_map"), "model.norm.weight", json_string("../other.safetensors"));
  json_dump_file(index, path_of("model.safetensors.index.json"), 0);
  expect_refusal("lies in another folder");
  json_decref(index);
  make(&f);
  unlink(path_of("model-00002-of-00002.safetensors"));
  expect_refusal("shard model-00002-of-00002.safetensors is missing");
}

/* Overwrites the data of weight_scale of the first projection (F32, one value). */
static void set_scale(float value) {
  size_t size;
  tern_error e;
  tern_safetensors *s;
  char *bytes = tern_file_read(path_of("model.safetensors"), 1 << 20, &size, &e);
  assert_non_null(bytes);
  assert_int_equal(tern_safetensors_parse(&s, (const uint8_t *)bytes, size, "x", &e), 0);
  for (int i = 0; i < tern_safetensors_count(s); i++) {
    const tern_safetensor *t = tern_safetensors_at(s, i);
    if (strcmp(t->name, "model.layers.0.self_attn.q_proj.weight_scale") == 0)
      memcpy(bytes + t->offset, &value, sizeof value);
  }
  tern_safetensors_close(s);
  FILE *out = fopen(path_of("model.safetensors"), "w");
  assert_int_equal(fwrite(bytes, 1, size, out), size);
  fclose(out);
  free(bytes);
}

static void scales_that_are_no_numbers_are_refused(void **state) {
  (void)state;
  hf_fixture f = small("BitNetForCausalLM", HF_PACKED);
  make(&f);
  set_scale(NAN);
  expect_refusal("q_proj.weight_scale: gives a scale that is not finite");
  set_scale(INFINITY);
  expect_refusal("not finite");
  set_scale(0); /* a matrix of zeros, if odd, is one */
  tern_gguf_close(expect_model());
  f.store = HF_PACKED_DIVIDES;
  make(&f);
  set_scale(0);
  expect_refusal("not finite");
}

static void rows_are_in_the_order_of_gguf(void **state) {
  (void)state;
  hf_fixture f = small("LlamaForCausalLM", HF_DENSE);
  f.type = TERN_SAFE_F32;
  make(&f);
  tern_gguf *g = expect_model();
  const tern_gguf_tensor *q = tern_gguf_tensor_find(g, "blk.0.attn_q.weight");
  const char *name = "model.layers.0.self_attn.q_proj.weight";
  assert_non_null(q);
  for (int row = 0; row < 16; row++) {
    float x[16];
    int head = row / 8, pair = row % 8 / 2, half = row % 2; /* rows 2 j, 2 j + 1 turn together */
    long from = head * 8 + half * 4 + pair;
    q->type->row_floats(q->data, 16, 16, row, TERN_I2S_AUTO, x);
    for (int c = 0; c < 16; c++) assert_true(x[c] == (float)hf_fixture_value(name, from * 16 + c, 0, sqrt(3.0 / 16)));
  }
  tern_gguf_close(g);
}

static void gains_of_gemma_are_one_more(void **state) {
  (void)state;
  hf_fixture f = small("Gemma3ForCausalLM", HF_DENSE);
  f.type = TERN_SAFE_F32;
  make(&f);
  tern_gguf *g = expect_model();
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, "blk.0.post_ffw_norm.weight");
  float x[16];
  assert_non_null(t);
  t->type->row_floats(t->data, 1, 16, 0, TERN_I2S_AUTO, x);
  for (int c = 0; c < 16; c++) {
    double stored = hf_fixture_value("model.layers.0.post_feedforward_layernorm.weight", c, 0, 0.2);
    assert_true(x[c] == (float)stored + 1);
  }
  tern_gguf_close(g);
}

static void masters_are_quantised_by_their_mean(void **state) {
  (void)state;
  hf_fixture f = small("BitNetForCausalLM", HF_ONLINE);
  f.type = TERN_SAFE_F32;
  make(&f);
  tern_gguf *g = expect_model();
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, "blk.0.ffn_up.weight");
  const char *name = "model.layers.0.mlp.up_proj.weight";
  double sum = 0, reach = sqrt(3.0 / 16);
  int seen[3] = {0};
  assert_true(t && t->type->ternary);
  for (long i = 0; i < 32 * 16; i++) sum += fabs((double)(float)hf_fixture_value(name, i, 0, reach));
  double mean = sum / (32 * 16);
  for (int row = 0; row < 32; row++) {
    int8_t codes[16];
    float scale;
    assert_int_equal(t->type->row_codes(t->data, 32, 16, row, TERN_I2S_AUTO, codes, &scale), 0);
    assert_true(fabs((double)scale - mean) < 1e-6 * mean);
    for (int c = 0; c < 16; c++) {
      double ratio = hf_fixture_value(name, row * 16 + c, 0, reach) / mean;
      if (fabs(fabs(ratio) - 0.5) < 1e-5) continue; /* may round to either side */
      assert_int_equal(codes[c], ratio > 0.5 ? 1 : ratio < -0.5 ? -1 : 0);
      seen[codes[c] + 1]++;
    }
  }
  assert_true(seen[0] > 100 && seen[1] > 50 && seen[2] > 100);
  tern_gguf_close(g);
}

static void a_part_of_a_folder_is_told_from_the_folder(void **state) {
  (void)state;
  hf_fixture f = small("LlamaForCausalLM", HF_DENSE);
  tern_error e = {0};
  tern_gguf *g;
  make(&f);
  assert_int_not_equal(tern_gguf_open(&g, path_of("model.safetensors"), &e), 0);
  assert_non_null(strstr(e.text, "give the folder"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(configs_that_cannot_be_run_are_refused),
      cmocka_unit_test(files_of_tensors_that_lie_are_refused),
      cmocka_unit_test(every_cut_of_a_file_is_refused),
      cmocka_unit_test(shards_are_all_there_or_refused),
      cmocka_unit_test(scales_that_are_no_numbers_are_refused),
      cmocka_unit_test(rows_are_in_the_order_of_gguf),
      cmocka_unit_test(gains_of_gemma_are_one_more),
      cmocka_unit_test(masters_are_quantised_by_their_mean),
      cmocka_unit_test(a_part_of_a_folder_is_told_from_the_folder),
  };
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
