/* llama2.c checkpoints: values survive the conversion, wrong files are refused
 * with a reason and leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/random.h"
#include "engine/format/convert.h"
#include "tests/own_folder.h"

enum { DIM = 64, HIDDEN = 96, LAYERS = 2, HEADS = 4, KV_HEADS = 2, VOCAB = 40, CONTEXT = 16, KEY = 32 };

typedef struct bytes {
  uint8_t data[1 << 20];
  size_t size;
} bytes;

static void put(bytes *b, const void *data, size_t n) {
  assert_true(b->size + n <= sizeof b->data);
  memcpy(b->data + b->size, data, n);
  b->size += n;
}

static float value_at(uint64_t tensor, int i) {
  return (float)tern_random_unit(tern_random_at(1, tensor, (uint64_t)i)) - 0.5f;
}

static void put_floats(bytes *b, uint64_t tensor, int n) {
  for (int i = 0; i < n; i++) put(b, &(float){value_at(tensor, i)}, sizeof(float));
}

static void put_header(bytes *b, int vocab) {
  const int32_t n[7] = {DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, vocab, CONTEXT};
  put(b, n, sizeof n);
}

/* The legacy file; vocab below 0: with a classifier of its own. Streams number the tensors in the file's order. */
static void make_dense(bytes *b, int vocab) {
  static const int sizes[] = {VOCAB * DIM,
                              LAYERS * DIM,
                              LAYERS * DIM * DIM,
                              LAYERS * KEY * DIM,
                              LAYERS * KEY * DIM,
                              LAYERS * DIM * DIM,
                              LAYERS * DIM,
                              LAYERS * HIDDEN * DIM,
                              LAYERS * HIDDEN * DIM,
                              LAYERS * HIDDEN * DIM,
                              DIM,
                              CONTEXT * DIM / HEADS,
                              VOCAB * DIM};
  b->size = 0;
  put_header(b, vocab);
  for (uint64_t i = 0; i < 12 + (vocab < 0); i++) put_floats(b, i, sizes[i]);
}

static int code_at(uint64_t tensor, int i) {
  return (int)(tern_random_at(2, tensor, (uint64_t)i) % 3) - 1;
}

static void put_codes(bytes *b, uint64_t tensor, int n) {
  static const uint8_t field[3] = {3, 0, 1}; /* -1, 0, +1 */
  put(b, &(float){(float)tensor * 0.5f}, sizeof(float));
  for (int i = 0; i < n; i += 4) {
    uint8_t byte = 0;
    for (int j = 0; j < 4; j++) byte |= (uint8_t)(field[code_at(tensor, i + j) + 1] << (6 - 2 * j));
    put(b, &byte, 1);
  }
}

static void make_ternary(bytes *b) {
  static const uint8_t zeros[256];
  static const int sizes[7] = {DIM * DIM, KEY * DIM, KEY * DIM, DIM * DIM, HIDDEN * DIM, HIDDEN * DIM, HIDDEN * DIM};
  b->size = 0;
  put(b, &(uint32_t){0x616b3432}, 4);
  put(b, &(int32_t){1}, 4);
  put_header(b, VOCAB);
  put(b, "\1", 1);
  put(b, zeros, 256 - b->size);
  put_floats(b, 0, DIM);
  put_floats(b, 1, VOCAB * DIM);
  for (uint64_t i = 0; i < 7 * LAYERS; i++) put_codes(b, 10 + i, sizes[i / LAYERS]);
}

static void save(const char *path, const uint8_t *data, size_t n) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_int_equal(fwrite(data, 1, n, f), n);
  assert_int_equal(fclose(f), 0);
}

static int convert_file(const char *in, const char *out, const tern_convert_params *p, tern_error *e) {
  tern_gguf *g = NULL;
  tern_team *team = NULL;
  int rc = tern_gguf_open(&g, in, e);
  if (!rc) rc = tern_team_open(&team, 2, NULL, e);
  if (!rc) rc = tern_convert(g, out, p, team, e);
  tern_team_close(team);
  tern_gguf_close(g);
  return rc;
}

static int convert(folder *s, const bytes *b, const char *type, tern_error *e) {
  char in[700];
  snprintf(in, sizeof in, "%s", folder_path(s, "in.bin"));
  save(in, b->data, b->size);
  const tern_convert_params p = {.type = type ? tern_dtype_by_name(type) : NULL, .name = "test"};
  return convert_file(in, folder_path(s, "out.gguf"), &p, e);
}

static tern_gguf *converted(folder *s, const bytes *b, const char *type) {
  tern_error e = {0};
  tern_gguf *g;
  if (convert(s, b, type, &e)) fail_msg("%s", e.text);
  if (tern_gguf_open(&g, folder_path(s, "out.gguf"), &e)) fail_msg("%s", e.text);
  return g;
}

/* Tensor `name` holds the floats of the stream from `first` on. */
static void expect_floats(const tern_gguf *g, const char *name, int rows, int cols, uint64_t stream, int first) {
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, name);
  if (!t) fail_msg("%s is missing", name);
  assert_true(t->shape[0] == cols && t->shape[1] == rows && t->type->id == TERN_DISK_F32);
  for (int r = 0; r < rows; r++) {
    float x[HIDDEN];
    t->type->row_floats(t->data, rows, cols, r, TERN_I2S_AUTO, x);
    for (int c = 0; c < cols; c++) assert_true(x[c] == value_at(stream, first + r * cols + c));
  }
}

static void a_dense_checkpoint_keeps_its_values(void **state) {
  (void)state;
  folder s = folder_open();
  bytes *b = calloc(1, sizeof *b);
  for (int own = 0; own < 2; own++) {
    make_dense(b, own ? -VOCAB : VOCAB);
    tern_gguf *g = converted(&s, b, NULL);
    expect_floats(g, "token_embd.weight", VOCAB, DIM, 0, 0);
    expect_floats(g, "blk.1.attn_norm.weight", 1, DIM, 1, DIM);
    expect_floats(g, "blk.0.attn_q.weight", DIM, DIM, 2, 0);
    expect_floats(g, "blk.1.attn_k.weight", KEY, DIM, 3, KEY * DIM);
    expect_floats(g, "blk.1.attn_v.weight", KEY, DIM, 4, KEY * DIM);
    expect_floats(g, "blk.1.attn_output.weight", DIM, DIM, 5, DIM * DIM);
    expect_floats(g, "blk.0.ffn_norm.weight", 1, DIM, 6, 0);
    expect_floats(g, "blk.1.ffn_gate.weight", HIDDEN, DIM, 7, HIDDEN * DIM);
    expect_floats(g, "blk.1.ffn_down.weight", DIM, HIDDEN, 8, HIDDEN * DIM);
    expect_floats(g, "blk.1.ffn_up.weight", HIDDEN, DIM, 9, HIDDEN * DIM);
    expect_floats(g, "output_norm.weight", 1, DIM, 10, 0);
    assert_int_equal(tern_gguf_tensor_find(g, "output.weight") != NULL, own);
    if (own) expect_floats(g, "output.weight", VOCAB, DIM, 12, 0);
    int64_t n = 0;
    assert_true(tern_gguf_integer(g, "llama.attention.head_count_kv", &n) && n == KV_HEADS);
    tern_gguf_close(g);
  }
  free(b);
  folder_close(&s);
}

static void a_ternary_checkpoint_keeps_its_codes(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int rows, cols;
    uint64_t stream;
  } rows[] = {{"blk.0.attn_q.weight", DIM, DIM, 10},      {"blk.1.attn_k.weight", KEY, DIM, 13},
              {"blk.0.attn_v.weight", KEY, DIM, 14},      {"blk.1.attn_output.weight", DIM, DIM, 17},
              {"blk.1.ffn_gate.weight", HIDDEN, DIM, 19}, {"blk.0.ffn_down.weight", DIM, HIDDEN, 20},
              {"blk.1.ffn_up.weight", HIDDEN, DIM, 23}};
  folder s = folder_open();
  bytes *b = calloc(1, sizeof *b);
  make_ternary(b);
  tern_gguf *g = converted(&s, b, NULL);
  expect_floats(g, "output_norm.weight", 1, DIM, 0, 0);
  expect_floats(g, "token_embd.weight", VOCAB, DIM, 1, 0);
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_find(g, rows[k].name);
    assert_true(t && t->shape[0] == rows[k].cols && t->shape[1] == rows[k].rows && t->type->id == TERN_DISK_I2_S);
    for (int r = 0; r < rows[k].rows; r++) {
      int8_t codes[HIDDEN];
      float scale;
      assert_int_equal(t->type->row_codes(t->data, rows[k].rows, rows[k].cols, r, TERN_I2S_128, codes, &scale), 0);
      assert_true(scale == (float)rows[k].stream * 0.5f / (float)rows[k].cols);
      for (int c = 0; c < rows[k].cols; c++) assert_int_equal(codes[c], code_at(rows[k].stream, r * rows[k].cols + c));
    }
  }
  tern_gguf_close(g);
  free(b);
  folder_close(&s);
}

static void refuse(folder *s, const bytes *b, const char *type, const char *part) {
  tern_error e = {0};
  if (convert(s, b, type, &e) == 0) fail_msg("taken, want a complaint about '%s'", part);
  if (!strstr(e.text, part)) fail_msg("'%s' does not tell '%s'", e.text, part);
  unlink(folder_path(s, "in.bin"));
  assert_int_equal(folder_count(s), 0);
}

static void wrong_checkpoints_are_refused(void **state) {
  (void)state;
  folder s = folder_open();
  bytes *b = calloc(1, sizeof *b);
  static const int32_t bad[] = {0, -1, 3, INT32_MAX, INT32_MIN};
  for (int ternary = 0; ternary < 2; ternary++) {
    for (int field = 0; field < 7; field++) {
      for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        if (ternary && field == 6 && bad[k] == 3) continue; /* a context of 3 is none of the sizes */
        if (ternary) make_ternary(b);
        if (!ternary) make_dense(b, VOCAB);
        memcpy(b->data + (ternary ? 8 : 0) + 4 * field, &bad[k], 4);
        refuse(&s, b, NULL, "in.bin");
      }
    }
    for (size_t size = 1; size < 300; size += 13) {
      b->size = size;
      refuse(&s, b, NULL, "in.bin");
    }
  }
  make_dense(b, VOCAB);
  b->size--;
  refuse(&s, b, NULL, "truncated");
  b->size += 2;
  refuse(&s, b, NULL, "another format");
  make_dense(b, VOCAB);
  refuse(&s, b, "i2_s", "not ternary");
  make_ternary(b);
  b->data[b->size - 1] |= 2;
  b->data[b->size - 1] &= 0xfe;
  refuse(&s, b, NULL, "is not ternary");
  make_ternary(b);
  b->data[4] = 2;
  refuse(&s, b, NULL, "version 2");
  free(b);
  folder_close(&s);
}

static void types_that_fit_hold_the_same_values(void **state) {
  (void)state;
  folder s = folder_open();
  bytes *b = calloc(1, sizeof *b);
  make_ternary(b);
  tern_gguf *g = converted(&s, b, "f32");
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, "blk.1.ffn_up.weight");
  float x[DIM];
  t->type->row_floats(t->data, HIDDEN, DIM, 5, TERN_I2S_AUTO, x);
  for (int c = 0; c < DIM; c++) assert_true(x[c] == 23 * 0.5f / DIM * (float)code_at(23, 5 * DIM + c));
  tern_gguf_close(g);
  unlink(folder_path(&s, "out.gguf"));
  refuse(&s, b, "tq2_0", "cannot hold");
  free(b);
  folder_close(&s);
}

static void published_checkpoints_convert(void **state) {
  (void)state;
  static const struct {
    const char *name, *arch;
  } files[] = {{"stories260K.bin", "llama"}, {"bitllama2c_3M.bin", "bitllama2c"}};
  const char *shared = getenv("TERN_SHARED");
  folder s = folder_open();
  for (size_t i = 0; i < 2; i++) {
    char in[700];
    tern_error e = {0};
    tern_gguf *g;
    tern_gguf_string arch;
    snprintf(in, sizeof in, "%.500s/data/models/%s", shared ? shared : "../shared", files[i].name);
    if (access(in, R_OK) != 0) {
      print_message("%s is not here\n", in);
      folder_close(&s);
      skip();
    }
    const tern_convert_params p = {0};
    if (convert_file(in, folder_path(&s, "out.gguf"), &p, &e)) fail_msg("%s", e.text);
    if (tern_gguf_open(&g, folder_path(&s, "out.gguf"), &e)) fail_msg("%s", e.text);
    assert_true(tern_gguf_text(g, "general.architecture", &arch));
    assert_int_equal(arch.size, strlen(files[i].arch));
    assert_memory_equal(arch.data, files[i].arch, arch.size);
    tern_gguf_close(g);
  }
  folder_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_dense_checkpoint_keeps_its_values), cmocka_unit_test(a_ternary_checkpoint_keeps_its_codes),
      cmocka_unit_test(wrong_checkpoints_are_refused),       cmocka_unit_test(types_that_fit_hold_the_same_values),
      cmocka_unit_test(published_checkpoints_convert),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
