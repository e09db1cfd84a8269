/* Synthetic models: fixed bytes for a seed, the same values in every type,
 * independence of threads and of cut layers, a vocabulary that makes sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "engine/format/gguf.h"
#include "engine/format/synth.h"
#include "tests/own_folder.h"

static int make(const char *path, const tern_synth_shape *shape, const tern_synth_params *params, int threads,
                tern_error *e) {
  tern_team *team;
  assert_int_equal(tern_team_open(&team, threads, NULL, e), 0);
  int rc = tern_synth(path, shape, params, team, e);
  tern_team_close(team);
  return rc;
}

static tern_gguf *open_made(folder *s, const char *name, const tern_synth_shape *shape, tern_synth_params params) {
  tern_error e = {0};
  tern_gguf *g;
  if (make(folder_path(s, name), shape, &params, 2, &e)) fail_msg("%s", e.text);
  if (tern_gguf_open(&g, folder_path(s, name), &e)) fail_msg("%s", e.text);
  return g;
}

static const tern_dtype *type_named(const char *name) {
  const tern_dtype *t = tern_dtype_by_name(name);
  assert_non_null(t);
  return t;
}

static uint64_t hash_file(const char *path) {
  tern_error e = {0};
  tern_map m;
  if (tern_map_open(&m, path, &e)) fail_msg("%s", e.text);
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < m.size; i++) h = (h ^ m.data[i]) * UINT64_C(0x100000001b3);
  tern_map_close(&m);
  return h;
}

/* A change of these is a change of every cached model: raise TERN_SYNTH_VERSION with them. */
static const struct {
  const char *type, *head;
  uint64_t seed, hash;
} golden[] = {
    {"i2_s", "f16", 0, UINT64_C(0xa2f26d94fc2adb26)},   {"tq2_0", "q8_0", 1, UINT64_C(0x6ce72b49839f9f5f)},
    {"tq1_0", "q6_k", 2, UINT64_C(0x3564d05d5dc35567)}, {"f16", "bf16", 3, UINT64_C(0xf65f63236f4d2a93)},
    {"bf16", "f32", 4, UINT64_C(0x323384a53fdb95bf)},   {"q8_0", "f16", 5, UINT64_C(0xa96e522bd94f9227)},
    {"f32", "f16", 6, UINT64_C(0xa7e71ef5abe3b477)},
};

static void bytes_depend_on_the_seed_alone(void **state) {
  (void)state;
  folder s = folder_open();
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    for (int threads = 1; threads <= 3; threads += 2) {
      tern_error e = {0};
      const tern_synth_params p = {
          .type = type_named(golden[i].type), .head = type_named(golden[i].head), .seed = golden[i].seed};
      if (make(folder_path(&s, "x"), &tern_synth_tiny, &p, threads, &e)) fail_msg("%s", e.text);
      uint64_t h = hash_file(folder_path(&s, "x"));
      if (h != golden[i].hash) {
        fail_msg("%s, %d threads: hash %#llx, want %#llx", golden[i].type, threads, (unsigned long long)h,
                 (unsigned long long)golden[i].hash);
      }
    }
  }
  folder_close(&s);
}

static void expect_equal_rows(const tern_gguf_tensor *a, const tern_gguf_tensor *b) {
  int cols = (int)a->shape[0], rows = (int)a->shape[1];
  float x[512], y[512];
  assert_true(cols <= 512 && b->shape[0] == cols && b->shape[1] == rows);
  for (int r = 0; r < rows; r++) {
    a->type->row_floats(a->data, rows, cols, r, TERN_I2S_AUTO, x);
    b->type->row_floats(b->data, rows, cols, r, TERN_I2S_AUTO, y);
    for (int c = 0; c < cols; c++) {
      if (x[c] != y[c])
        fail_msg("%s: row %d: %g in %s, %g in %s", a->name, r, (double)x[c], a->type->name, (double)y[c],
                 b->type->name);
    }
  }
}

static void every_type_holds_the_same_values(void **state) {
  (void)state;
  static const char *const types[] = {"tq2_0", "tq1_0", "f16", "bf16", "q8_0", "f32"};
  folder s = folder_open();
  tern_synth_shape shape = tern_synth_tiny;
  shape.layers = 10000; /* deeper models have smaller scales: smaller than any published shape's */
  tern_gguf *g = open_made(&s, "i2_s", &shape, (tern_synth_params){.layers = 1, .seed = 9});
  for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
    tern_gguf *other =
        open_made(&s, types[k], &shape, (tern_synth_params){.layers = 1, .seed = 9, .type = type_named(types[k])});
    assert_int_equal(tern_gguf_tensor_count(other), tern_gguf_tensor_count(g));
    for (int i = 0; i < tern_gguf_tensor_count(g); i++) {
      const tern_gguf_tensor *t = tern_gguf_tensor_at(g, i), *u = tern_gguf_tensor_find(other, t->name);
      assert_non_null(u);
      if (t->type->ternary) assert_ptr_equal(u->type, type_named(types[k]));
      expect_equal_rows(t, u);
    }
    tern_gguf_close(other);
  }
  tern_gguf_close(g);
  folder_close(&s);
}

static void an_exact_head_holds_the_same_embedding(void **state) {
  (void)state;
  folder s = folder_open();
  tern_gguf *a = open_made(&s, "a", &tern_synth_tiny, (tern_synth_params){0});
  tern_gguf *b = open_made(&s, "b", &tern_synth_tiny, (tern_synth_params){.head = type_named("f32")});
  expect_equal_rows(tern_gguf_tensor_find(a, "token_embd.weight"), tern_gguf_tensor_find(b, "token_embd.weight"));
  tern_gguf_close(a);
  tern_gguf_close(b);
  folder_close(&s);
}

static void cut_layers_equal_those_of_the_whole(void **state) {
  (void)state;
  folder s = folder_open();
  tern_gguf *whole = open_made(&s, "whole", &tern_synth_tiny, (tern_synth_params){.seed = 4});
  tern_gguf *cut = open_made(&s, "cut", &tern_synth_tiny, (tern_synth_params){.seed = 4, .layers = 1});
  int64_t layers = 0;
  assert_true(tern_gguf_integer(cut, "bitnet-b1.58.block_count", &layers) && layers == 1);
  assert_true(tern_gguf_tensor_count(cut) < tern_gguf_tensor_count(whole));
  for (int i = 0; i < tern_gguf_tensor_count(cut); i++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_at(cut, i), *u = tern_gguf_tensor_find(whole, t->name);
    assert_non_null(u);
    assert_int_equal(t->bytes, u->bytes);
    assert_memory_equal(t->data, u->data, t->bytes);
  }
  tern_gguf_close(whole);
  tern_gguf_close(cut);
  folder_close(&s);
}

static void codes_are_a_third_each_and_matrices_differ(void **state) {
  (void)state;
  folder s = folder_open();
  tern_gguf *g = open_made(&s, "x", &tern_synth_tiny, (tern_synth_params){0});
  const tern_gguf_tensor *gate = tern_gguf_tensor_find(g, "blk.0.ffn_gate.weight");
  const tern_gguf_tensor *up = tern_gguf_tensor_find(g, "blk.0.ffn_up.weight");
  int counts[3] = {0}, equal = 0;
  float scale, other;
  for (int r = 0; r < 512; r++) {
    int8_t a[256], b[256];
    assert_int_equal(gate->type->row_codes(gate->data, 512, 256, r, TERN_I2S_AUTO, a, &scale), 0);
    assert_int_equal(up->type->row_codes(up->data, 512, 256, r, TERN_I2S_AUTO, b, &other), 0);
    for (int c = 0; c < 256; c++) {
      counts[a[c] + 1]++;
      equal += a[c] == b[c];
    }
  }
  const int third = 512 * 256 / 3, spread = 5 * 171; /* five deviations */
  for (int i = 0; i < 3; i++) assert_in_range(counts[i], third - spread, third + spread);
  assert_in_range(equal, third - spread, third + spread);
  assert_true(scale != other && scale > 0.05f && scale < 0.12f); /* around 1 / sqrt(256 * 2 / 3) */
  tern_gguf_close(g);
  folder_close(&s);
}

static int order_strings(const void *a, const void *b) {
  const tern_gguf_string *x = a, *y = b;
  int order = memcmp(x->data, y->data, x->size < y->size ? x->size : y->size);
  return order ? order : (x->size > y->size) - (x->size < y->size);
}

static bool is_token(const tern_gguf_string *sorted, int64_t n, const char *data, size_t size) {
  const tern_gguf_string key = {data, size};
  return bsearch(&key, sorted, (size_t)n, sizeof *sorted, order_strings) != NULL;
}

/* Tokens are distinct; each merge joins two tokens into the token of its rank. */
static void the_vocabulary_is_consistent(void **state) {
  (void)state;
  static const int sizes[] = {258, 512, 4096, 32002, 262144};
  folder s = folder_open();
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    tern_synth_shape shape = tern_synth_tiny;
    shape.vocab = sizes[k];
    shape.hidden = 4;
    shape.layers = 1;
    tern_gguf *g = open_made(&s, "x", &shape, (tern_synth_params){.type = type_named("f32")});
    int64_t n, merges, bos = -1;
    tern_gguf_string *tokens = tern_gguf_texts(g, "tokenizer.ggml.tokens", &n);
    tern_gguf_string *sorted = tern_gguf_texts(g, "tokenizer.ggml.tokens", &n);
    tern_gguf_string *merge = tern_gguf_texts(g, "tokenizer.ggml.merges", &merges);
    assert_int_equal(n, sizes[k]);
    assert_int_equal(tern_gguf_array_length(g, "tokenizer.ggml.token_type"), n);
    assert_true(tern_gguf_integer(g, "tokenizer.ggml.bos_token_id", &bos) && bos == 256 + merges);
    qsort(sorted, (size_t)n, sizeof *sorted, order_strings);
    for (int64_t i = 1; i < n; i++) assert_true(order_strings(&sorted[i - 1], &sorted[i]) < 0);
    for (int64_t i = 0; i < merges; i++) {
      const char *gap = memchr(merge[i].data, ' ', merge[i].size);
      assert_non_null(gap);
      size_t left = (size_t)(gap - merge[i].data), right = merge[i].size - left - 1;
      assert_true(is_token(sorted, n, merge[i].data, left) && is_token(sorted, n, gap + 1, right));
      assert_int_equal(tokens[256 + i].size, left + right);
      assert_memory_equal(tokens[256 + i].data, merge[i].data, left);
      assert_memory_equal(tokens[256 + i].data + left, gap + 1, right);
    }
    free(tokens);
    free(sorted);
    free(merge);
    tern_gguf_close(g);
  }
  folder_close(&s);
}

static void shapes_a_type_cannot_hold_are_refused(void **state) {
  (void)state;
  folder s = folder_open();
  tern_error e = {0};
  tern_synth_shape shape = tern_synth_tiny;
  shape.ffn = 320;
  tern_synth_params p = {.type = type_named("tq2_0")};
  assert_int_equal(make(folder_path(&s, "x"), &shape, &p, 1, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "ffn_down"));
  assert_non_null(strstr(e.text, "TQ2_0"));
  p = (tern_synth_params){.layers = 3};
  assert_int_equal(make(folder_path(&s, "x"), &tern_synth_tiny, &p, 1, &e), TERN_FAILED);
  p = (tern_synth_params){.head = type_named("i2_s")};
  assert_int_equal(make(folder_path(&s, "x"), &tern_synth_tiny, &p, 1, &e), TERN_FAILED);
  p = (tern_synth_params){.type = type_named("q6_k")};
  assert_int_equal(make(folder_path(&s, "x"), &tern_synth_tiny, &p, 1, &e), TERN_FAILED);
  shape = tern_synth_tiny;
  shape.vocab = 100;
  assert_int_equal(make(folder_path(&s, "x"), &shape, &(tern_synth_params){0}, 1, &e), TERN_FAILED);
  strcpy(shape.arch, "gpt5");
  assert_int_equal(make(folder_path(&s, "x"), &shape, &(tern_synth_params){0}, 1, &e), TERN_FAILED);
  assert_int_equal(folder_count(&s), 0);
  folder_close(&s);
}

static void the_size_is_known_beforehand(void **state) {
  (void)state;
  tern_error e = {0};
  size_t bytes = 0, sum = 0;
  folder s = folder_open();
  assert_int_equal(tern_synth_bytes(&tern_synth_tiny, &(tern_synth_params){0}, &bytes, &e), 0);
  tern_gguf *g = open_made(&s, "x", &tern_synth_tiny, (tern_synth_params){0});
  for (int i = 0; i < tern_gguf_tensor_count(g); i++) sum += (tern_gguf_tensor_at(g, i)->bytes + 31) / 32 * 32;
  assert_int_equal(bytes, sum);
  assert_true(tern_gguf_size(g) > bytes);
  tern_gguf_close(g);
  folder_close(&s);
}

/* The full size is reserved first, so a file that may not become that large fails before any weight is made. */
static void a_failing_write_leaves_nothing(void **state) {
  (void)state;
  folder s = folder_open();
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    tern_error e = {0};
    const struct rlimit limit = {100000, 100000};
    tern_interrupt_install();
    setrlimit(RLIMIT_FSIZE, &limit);
    int rc = make(folder_path(&s, "x"), &tern_synth_tiny, &(tern_synth_params){0}, 2, &e);
    _exit(rc == TERN_FAILED && strstr(e.text, "File too large") ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_int_equal(folder_count(&s), 0);
  folder_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_depend_on_the_seed_alone),
      cmocka_unit_test(every_type_holds_the_same_values),
      cmocka_unit_test(an_exact_head_holds_the_same_embedding),
      cmocka_unit_test(cut_layers_equal_those_of_the_whole),
      cmocka_unit_test(codes_are_a_third_each_and_matrices_differ),
      cmocka_unit_test(the_vocabulary_is_consistent),
      cmocka_unit_test(shapes_a_type_cannot_hold_are_refused),
      cmocka_unit_test(the_size_is_known_beforehand),
      cmocka_unit_test(a_failing_write_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
