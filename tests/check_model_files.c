/* Files that must be refused: each with one line that names what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/model/model.h"
#include "tests/reference_file.h"

static const tiny_shape good = {"bitnet-b1.58", 2, 64, 96, 4, 2, 50, 32, "I2_S", "F16", false, 0, 0};

/* Loads the file written so; returns 0 and closes again, or the status with *e. */
static int load(const tiny_shape *shape, const tiny_fault *fault, tiny_edit edit, const char *layout, tern_error *e) {
  char path[64];
  tern_gguf *g;
  tern_team *team;
  tern_model *m = NULL;
  tern_model_params p = {.layout = layout, .isa_cap = TERN_ISA_COUNT};
  tiny_write(path, shape, fault, edit, 5);
  int rc = tern_gguf_open(&g, path, e);
  unlink(path);
  assert_int_equal(rc, 0);
  assert_int_equal(tern_team_open(&team, 2, NULL, e), 0);
  rc = tern_model_load(&m, g, &p, team, e);
  assert_true(rc == 0 || m == NULL);
  tern_model_close(m);
  tern_team_close(team);
  tern_gguf_close(g);
  return rc;
}

static void assert_refused(int rc, const tern_error *e, const char *part) {
  if (rc != TERN_FAILED || !strstr(e->text, part) || strchr(e->text, '\n')) {
    fail_msg("status %d, \"%s\", want one line with \"%s\"", rc, e->text, part);
  }
}

static void a_sound_file_loads(void **state) {
  (void)state;
  tern_error e = {0};
  assert_int_equal(load(&good, NULL, NULL, NULL, &e), 0);
  assert_int_equal(load(&good, &(tiny_fault){.tokens = 50, .i2s = "128"}, NULL, NULL, &e), 0);
}

static void each_fault_is_named(void **state) {
  (void)state;
  static const struct {
    tiny_fault fault;
    const char *part;
  } cases[] = {
      {{.missing = "blk.1.ffn_sub_norm.weight"}, "tensor blk.1.ffn_sub_norm.weight is missing"},
      {{.missing = "blk.0.attn_q.weight"}, "tensor blk.0.attn_q.weight is missing"},
      {{.missing = "blk.1.attn_v.weight"}, "tensor blk.1.attn_v.weight is missing"},
      {{.missing = "token_embd.weight"}, "tensor token_embd.weight is missing"},
      {{.missing = "output_norm.weight"}, "tensor output_norm.weight is missing"},
      {{.longer = "blk.1.ffn_down.weight"}, "tensor blk.1.ffn_down.weight has 96 columns and 128 rows, want 96 and 64"},
      {{.longer = "blk.0.attn_norm.weight"}, "tensor blk.0.attn_norm.weight has 128 columns and 1 rows"},
      {{.turned = "blk.0.ffn_up.weight"}, "tensor blk.0.ffn_up.weight has 96 columns and 64 rows, want 64 and 96"},
      {{.nan_in = "blk.1.attn_k.weight"}, "tensor blk.1.attn_k.weight, row 0 holds a weight or scale that is not"},
      {{.nan_in = "token_embd.weight"}, "tensor token_embd.weight, row 25 holds a weight or scale that is not finite"},
      {{.nan_in = "blk.0.ffn_norm.weight"}, "tensor blk.0.ffn_norm.weight holds a value that is not finite"},
      {{.code3_in = "blk.1.ffn_up.weight"}, "tensor blk.1.ffn_up.weight, row 48 is not ternary (a code"},
      {{.stranger = "blk.0.attn_q.bias"}, "tensor blk.0.attn_q.bias has no place"},
      {{.stranger = "blk.7.attn_q.weight"}, "tensor blk.7.attn_q.weight has no place"},
      {{.tokens = 49}, "tokenizer.ggml.tokens has 49 entries, token_embd.weight 50 rows"},
      {{.i2s = "256"}, "ternmark.i2s_layout is \"256\""},
      {{.key = "block_count", .value = 0}, "bitnet-b1.58.block_count is 0"},
      {{.key = "block_count", .value = 3}, "blk.2.attn_q.weight is missing"},
      {{.key = "block_count", .value = 4000000000u}, "bitnet-b1.58.block_count is 4000000000"},
      {{.key = "embedding_length", .value = 65600}, "embedding_length is 65600, want 2 to 65536"},
      {{.key = "feed_forward_length", .value = 95}, "tensor blk.0.ffn_gate.weight has"},
      {{.key = "attention.head_count", .value = 0}, "attention.head_count is 0"},
      {{.key = "attention.head_count", .value = 3}, "3 heads cannot share 2 KV heads"},
      {{.key = "attention.head_count_kv", .value = 5}, "attention.head_count_kv is 5, want 1 to 4"},
      {{.key = "rope.dimension_count", .value = 7}, "7 rotated dimensions are not supported"},
      {{.key = "rope.dimension_count", .value = 18}, "rope.dimension_count is 18, want 2 to 16"},
      {{.key = "context_length", .value = 0}, "context_length is 0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_error e = {0};
    int rc = load(&good, &cases[i].fault, NULL, NULL, &e);
    assert_refused(rc, &e, cases[i].part);
  }
}

static void a_code_3_is_found_by_the_twins_too(void **state) {
  (void)state;
  static const char *const layouts[] = {"q8", "f16", "f32"};
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    tern_error e = {0};
    int rc = load(&good, &(tiny_fault){.code3_in = "blk.1.ffn_up.weight"}, NULL, layouts[i], &e);
    assert_refused(rc, &e, "blk.1.ffn_up.weight, row 48 is not ternary");
  }
}

static void an_architecture_not_known_is_named_with_those_that_are(void **state) {
  (void)state;
  tiny_shape shape = good;
  tern_error e = {0};
  shape.arch = "gpt2";
  int rc = load(&shape, NULL, NULL, NULL, &e);
  assert_refused(rc, &e, "architecture \"gpt2\" is not supported (bitnet-b1.58, ");
}

static void float_weights_are_refused_in_a_ternary_layout(void **state) {
  (void)state;
  tiny_shape shape = good;
  tern_error e = {0};
  shape.body = "F16";
  int rc = load(&shape, NULL, NULL, "t2", &e);
  assert_refused(rc, &e, "make codes of them first (ternmark convert)");
  assert_int_equal(load(&shape, NULL, NULL, NULL, &e), 0); /* as f16, its own type */
}

static void too_large(float *rows, int vocab, int hidden) {
  rows[(vocab - 2) * hidden + 3] = 70000;
}

static void a_weight_that_f16_cannot_hold_is_named(void **state) {
  (void)state;
  tiny_shape shape = good;
  tern_error e = {0};
  shape.embedding = "F32";
  int rc = load(&shape, NULL, too_large, NULL, &e);
  assert_refused(rc, &e, "tensor token_embd.weight, row 48 holds a weight too large for f16");
}

/* ---- a model larger than any memory: a header before terabytes of zero pages ---- */

typedef struct header {
  uint8_t *at;
  uint64_t offset, tensors, keys;
} header;

static void put(header *h, const void *data, size_t size) {
  memcpy(h->at, data, size);
  h->at += size;
}

static void put_string(header *h, const char *s) {
  uint64_t n = strlen(s);
  put(h, &n, sizeof n);
  put(h, s, n);
}

static void put_key(header *h, const char *key, uint32_t type, const void *value) {
  put_string(h, key);
  put(h, &type, sizeof type);
  if (type == 8) put_string(h, value);
  if (type != 8) put(h, value, 4);
  h->keys++;
}

static void put_tensor(header *h, const char *name, uint64_t cols, uint64_t rows) {
  uint32_t dims = rows > 1 ? 2 : 1, type = TERN_DISK_F32;
  put_string(h, name);
  put(h, &dims, sizeof dims);
  put(h, &cols, sizeof cols);
  if (rows > 1) put(h, &rows, sizeof rows);
  put(h, &type, sizeof type);
  put(h, &h->offset, sizeof h->offset);
  h->offset += cols * rows * 4;
  h->tensors++;
}

static void put_all(header *h) {
  enum { HIDDEN = 65536, VOCAB = 1 << 24, FFN = 8 };
  const float eps = 1e-5f;
  const uint32_t hidden = HIDDEN, ffn = FFN, layers = 1, heads = 512, context = 32;
  put_key(h, "general.architecture", 8, "llama");
  put_key(h, "llama.block_count", 4, &layers);
  put_key(h, "llama.embedding_length", 4, &hidden);
  put_key(h, "llama.feed_forward_length", 4, &ffn);
  put_key(h, "llama.attention.head_count", 4, &heads);
  put_key(h, "llama.context_length", 4, &context);
  put_key(h, "llama.attention.layer_norm_rms_epsilon", 6, &eps);
  put_tensor(h, "token_embd.weight", HIDDEN, VOCAB);
  put_tensor(h, "output_norm.weight", HIDDEN, 1);
  put_tensor(h, "blk.0.attn_norm.weight", HIDDEN, 1);
  put_tensor(h, "blk.0.ffn_norm.weight", HIDDEN, 1);
  put_tensor(h, "blk.0.attn_q.weight", HIDDEN, HIDDEN);
  put_tensor(h, "blk.0.attn_k.weight", HIDDEN, HIDDEN);
  put_tensor(h, "blk.0.attn_v.weight", HIDDEN, HIDDEN);
  put_tensor(h, "blk.0.attn_output.weight", HIDDEN, HIDDEN);
  put_tensor(h, "blk.0.ffn_gate.weight", HIDDEN, FFN);
  put_tensor(h, "blk.0.ffn_up.weight", HIDDEN, FFN);
  put_tensor(h, "blk.0.ffn_down.weight", FFN, HIDDEN);
}

static void a_model_larger_than_memory_is_told_before_loading(void **state) {
  (void)state;
  const size_t size = (size_t)9 << 39; /* 4.5 TiB */
  uint8_t *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED || tern_memory_available() > size / 4) skip();
  header h = {.at = data + 24};
  put_all(&h);
  memcpy(data, "GGUF\3\0\0\0", 8);
  memcpy(data + 8, &h.tensors, 8);
  memcpy(data + 16, &h.keys, 8);
  tern_error e = {0};
  tern_gguf *g;
  tern_team *team;
  tern_model *m;
  assert_int_equal(tern_gguf_parse(&g, data, size, "huge.gguf", &e), 0);
  assert_int_equal(tern_team_open(&team, 1, NULL, &e), 0);
  int rc = tern_model_load(&m, g, &(tern_model_params){.isa_cap = TERN_ISA_COUNT}, team, &e);
  assert_refused(rc, &e, "GB of memory as f32 with a f16 head, ");
  assert_null(m);
  tern_team_close(team);
  tern_gguf_close(g);
  munmap(data, size);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sound_file_loads),
      cmocka_unit_test(each_fault_is_named),
      cmocka_unit_test(a_code_3_is_found_by_the_twins_too),
      cmocka_unit_test(an_architecture_not_known_is_named_with_those_that_are),
      cmocka_unit_test(float_weights_are_refused_in_a_ternary_layout),
      cmocka_unit_test(a_weight_that_f16_cannot_hold_is_named),
      cmocka_unit_test(a_model_larger_than_memory_is_told_before_loading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
