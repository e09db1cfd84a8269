/* GGUF: what the writer puts the reader gets; getters convert as promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/team.h"
#include "engine/format/gguf.h"
#include "tests/own_folder.h"

static const char text[] = "a line\nand \"another\"";
static const tern_gguf_string words[] = {{"one", 3}, {"", 0}, {"t\0o", 3}};
static const int32_t integers[] = {3, -1, INT32_MIN};
static const float reals[] = {0.5f, -2.0f};

static void put_keys(tern_gguf_writer *w) {
  tern_gguf_put_text(w, "general.architecture", "test");
  tern_gguf_put_text(w, "text", text);
  tern_gguf_put_u32(w, "u32", UINT32_MAX);
  tern_gguf_put_u64(w, "u64", UINT64_MAX);
  tern_gguf_put_u64(w, "u64.small", 77);
  tern_gguf_put_f32(w, "f32", 0.25f);
  tern_gguf_put_bool(w, "bool", true);
  tern_gguf_put_texts(w, "words", words, 3);
  tern_gguf_put_i32s(w, "integers", integers, 3);
  tern_gguf_put_f32s(w, "reals", reals, 2);
  tern_gguf_put_i32s(w, "empty", integers, 0);
}

enum { TENSORS = 40, SIZE = 384 };

typedef struct writing {
  tern_gguf_writer *w;
  int index[TENSORS];
} writing;

/* Tensor i holds the float i at every place; members write halves in any order. */
static void write_job(void *arg, int member, int size) {
  writing *k = arg;
  tern_error e = {0};
  float values[SIZE / 2];
  for (int i = TENSORS - 1; i >= 0; i--) {
    if (i % size != member) continue;
    for (int c = 0; c < SIZE / 2; c++) values[c] = (float)i;
    if (tern_gguf_writer_data(k->w, k->index[i], sizeof values, values, sizeof values, &e)) fail_msg("%s", e.text);
    if (tern_gguf_writer_data(k->w, k->index[i], 0, values, sizeof values, &e)) fail_msg("%s", e.text);
  }
}

static void write_file(const char *path) {
  tern_error e = {0};
  writing k;
  tern_team *team;
  if (tern_gguf_writer_open(&k.w, path, &e)) fail_msg("%s", e.text);
  put_keys(k.w);
  for (int i = 0; i < TENSORS; i++) {
    char name[16];
    const int64_t shape[3] = {SIZE / 4, 2, 2};
    snprintf(name, sizeof name, "t%d", i);
    k.index[i] = tern_gguf_put_tensor(k.w, name, tern_dtype_by_id(TERN_DISK_F32), 3, shape);
  }
  if (tern_gguf_writer_start(k.w, &e)) fail_msg("%s", e.text);
  assert_int_equal(tern_gguf_writer_data(k.w, 0, SIZE * 4 - 3, text, 4, &e), TERN_FAILED); /* past its end */
  assert_int_equal(tern_team_open(&team, 3, NULL, &e), 0);
  tern_team_run(team, write_job, &k);
  tern_team_close(team);
  size_t size = tern_gguf_writer_size(k.w);
  if (tern_gguf_writer_finish(k.w, &e)) fail_msg("%s", e.text);
  tern_map m;
  assert_int_equal(tern_map_open(&m, path, &e), 0);
  assert_int_equal(m.size, size);
  tern_map_close(&m);
}

static void expect_scalars(const tern_gguf *g) {
  int64_t i = 5;
  double d;
  bool b = false;
  tern_gguf_string s;
  assert_true(tern_gguf_text(g, "text", &s));
  assert_int_equal(s.size, sizeof text - 1);
  assert_memory_equal(s.data, text, s.size);
  assert_true(tern_gguf_integer(g, "u32", &i) && i == UINT32_MAX);
  assert_false(tern_gguf_integer(g, "u64", &i)); /* does not fit */
  assert_int_equal(i, UINT32_MAX);               /* left alone */
  assert_true(tern_gguf_integer(g, "u64.small", &i) && i == 77);
  assert_true(tern_gguf_real(g, "f32", &d) && d == 0.25);
  assert_true(tern_gguf_real(g, "u32", &d) && d == 4294967295.0);
  assert_true(tern_gguf_bool(g, "bool", &b) && b);
  assert_false(tern_gguf_integer(g, "text", &i) || tern_gguf_integer(g, "f32", &i) || tern_gguf_integer(g, "no", &i));
  assert_false(tern_gguf_text(g, "words", &s) || tern_gguf_bool(g, "u32", &b));
  assert_true(tern_gguf_has(g, "bool") && !tern_gguf_has(g, "boo") && !tern_gguf_has(g, "boolx"));
}

static void expect_arrays(const tern_gguf *g) {
  int64_t n = -1;
  tern_gguf_string *list = tern_gguf_texts(g, "words", &n);
  assert_int_equal(n, 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(list[i].size, words[i].size);
    assert_memory_equal(list[i].data, words[i].data, words[i].size);
  }
  free(list);
  int64_t *whole = tern_gguf_integers(g, "integers", &n);
  assert_int_equal(n, 3);
  for (int i = 0; i < 3; i++) assert_int_equal(whole[i], integers[i]);
  free(whole);
  double *parts = tern_gguf_reals(g, "reals", &n);
  assert_true(n == 2 && parts[0] == 0.5 && parts[1] == -2.0);
  free(parts);
  whole = tern_gguf_integers(g, "empty", &n);
  assert_non_null(whole);
  assert_int_equal(n, 0);
  free(whole);
  assert_int_equal(tern_gguf_array_length(g, "words"), 3);
  assert_int_equal(tern_gguf_array_length(g, "text"), -1);
  assert_null(tern_gguf_texts(g, "integers", &n));
  assert_null(tern_gguf_reals(g, "words", &n));
}

static void expect_tensors(const tern_gguf *g) {
  assert_int_equal(tern_gguf_tensor_count(g), TENSORS);
  for (int i = 0; i < TENSORS; i++) {
    char name[16];
    float row[SIZE / 4];
    snprintf(name, sizeof name, "t%d", i);
    const tern_gguf_tensor *t = tern_gguf_tensor_find(g, name);
    assert_ptr_equal(t, tern_gguf_tensor_at(g, i));
    assert_true(t->dims == 3 && t->shape[0] == SIZE / 4 && t->shape[1] == 2 && t->shape[2] == 2 && t->shape[3] == 1);
    assert_int_equal(t->bytes, SIZE * sizeof(float));
    for (int r = 0; r < 4; r++) {
      t->type->row_floats(t->data, 4, SIZE / 4, r, TERN_I2S_AUTO, row);
      for (int c = 0; c < SIZE / 4; c++) assert_true(row[c] == (float)i);
    }
    tern_gguf_tensor_done(g, t);
    t->type->row_floats(t->data, 4, SIZE / 4, 0, TERN_I2S_AUTO, row); /* pages given back can be read again */
    assert_true(row[0] == (float)i);
  }
  assert_null(tern_gguf_tensor_find(g, "t"));
  assert_null(tern_gguf_tensor_find(g, "t40"));
}

static void a_written_file_reads_back(void **state) {
  (void)state;
  folder s = folder_open();
  const char *path = folder_path(&s, "x.gguf");
  write_file(path);
  tern_error e = {0};
  tern_gguf *g;
  if (tern_gguf_open(&g, path, &e)) fail_msg("%s", e.text);
  assert_string_equal(tern_gguf_name(g), path);
  expect_scalars(g);
  expect_arrays(g);
  expect_tensors(g);
  assert_int_equal(tern_gguf_key_count(g), 11);
  tern_gguf_close(g);
  folder_close(&s);
}

/* Both forms have id 42: only the tensors' places tell them apart. */
static void both_forms_of_q2_0_are_told_apart(void **state) {
  (void)state;
  static const uint32_t forms[] = {TERN_DISK_Q2_0, TERN_DISK_Q2_0_128};
  static const char *const names[] = {"a", "b", "c"};
  folder s = folder_open();
  for (size_t k = 0; k < 2; k++) {
    const tern_dtype *type = tern_dtype_by_id(forms[k]);
    const int64_t shape[2] = {512, 16};
    uint8_t *bytes = calloc(1, type->bytes(16, 512));
    tern_error e = {0};
    tern_gguf_writer *w;
    tern_gguf *g;
    assert_int_equal(tern_gguf_writer_open(&w, folder_path(&s, "q2"), &e), 0);
    for (int i = 0; i < 3; i++) tern_gguf_put_tensor(w, names[i], type, 2, shape);
    assert_int_equal(tern_gguf_writer_start(w, &e), 0);
    for (int i = 0; i < 3; i++) tern_gguf_writer_data(w, i, 0, bytes, type->bytes(16, 512), &e);
    if (tern_gguf_writer_finish(w, &e)) fail_msg("%s", e.text);
    if (tern_gguf_open(&g, folder_path(&s, "q2"), &e)) fail_msg("%s", e.text);
    for (int i = 0; i < 3; i++) assert_ptr_equal(tern_gguf_tensor_find(g, names[i])->type, type);
    tern_gguf_close(g);
    free(bytes);
  }
  folder_close(&s);
}

static void the_same_content_gives_the_same_bytes(void **state) {
  (void)state;
  folder s = folder_open();
  tern_error e = {0};
  tern_map a, b;
  write_file(folder_path(&s, "a"));
  write_file(folder_path(&s, "b"));
  assert_int_equal(tern_map_open(&a, folder_path(&s, "a"), &e), 0);
  assert_int_equal(tern_map_open(&b, folder_path(&s, "b"), &e), 0);
  assert_int_equal(a.size, b.size);
  assert_memory_equal(a.data, b.data, a.size);
  tern_map_close(&a);
  tern_map_close(&b);
  folder_close(&s);
}

static void an_abandoned_writer_leaves_nothing(void **state) {
  (void)state;
  folder s = folder_open();
  tern_error e = {0};
  tern_gguf_writer *w;
  assert_int_equal(tern_gguf_writer_open(&w, folder_path(&s, "x"), &e), 0);
  put_keys(w);
  assert_int_equal(tern_gguf_writer_start(w, &e), 0);
  tern_gguf_writer_abandon(w);
  assert_int_equal(folder_count(&s), 0);
  const int64_t huge[2] = {INT64_MAX / 8, 1 << 10};
  assert_int_equal(tern_gguf_writer_open(&w, folder_path(&s, "x"), &e), 0);
  tern_gguf_put_tensor(w, "huge", tern_dtype_by_id(TERN_DISK_F32), 2, huge);
  assert_int_equal(tern_gguf_writer_start(w, &e), TERN_FAILED);
  tern_gguf_writer_abandon(w);
  assert_int_equal(folder_count(&s), 0);
  folder_close(&s);
}

static void a_disk_too_small_fails_at_the_start(void **state) {
  (void)state;
  folder s = folder_open();
  tern_error e = {0};
  tern_gguf_writer *w;
  const int64_t shape[2] = {1 << 30, 1 << 24}; /* 64 PiB */
  assert_int_equal(tern_gguf_writer_open(&w, folder_path(&s, "x"), &e), 0);
  tern_gguf_put_tensor(w, "big", tern_dtype_by_id(TERN_DISK_F32), 2, shape);
  assert_int_equal(tern_gguf_writer_start(w, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "cannot reserve"));
  tern_gguf_writer_abandon(w);
  assert_int_equal(folder_count(&s), 0);
  folder_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_written_file_reads_back),
      cmocka_unit_test(both_forms_of_q2_0_are_told_apart),
      cmocka_unit_test(the_same_content_gives_the_same_bytes),
      cmocka_unit_test(an_abandoned_writer_leaves_nothing),
      cmocka_unit_test(a_disk_too_small_fails_at_the_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
