/* Conversions between the types of GGUF: every ternary type gives back the
 * codes and scales that it was given, by way of every other; what a type can't
 * hold is refused; verification sees a changed file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/format/convert.h"
#include "engine/format/synth.h"
#include "tests/own_folder.h"

static folder place;
static tern_team *team;

static int open_all(void **state) {
  tern_error e;
  (void)state;
  place = folder_open();
  return tern_team_open(&team, 2, NULL, &e);
}

static int close_all(void **state) {
  (void)state;
  tern_team_close(team);
  folder_close(&place);
  return 0;
}

static char *path_of(const char *name) {
  char *path = NULL;
  if (asprintf(&path, "%s/%s", place.folder, name) < 0) abort();
  return path;
}

static tern_gguf *load(const char *name) {
  tern_error e;
  tern_gguf *g;
  if (tern_gguf_open(&g, folder_path(&place, name), &e)) fail_msg("%s", e.text);
  return g;
}

static int convert(const char *from, const char *to, tern_convert_params p, tern_error *e) {
  tern_gguf *g = load(from);
  char *path = path_of(to);
  int rc = tern_convert(g, path, &p, team, e);
  tern_gguf_close(g);
  free(path);
  return rc;
}

/* Codes and rows' scales that differ, and the worst scale. */
static void compare(const char *from, const char *to, double *codes, double *scales, double *worst) {
  tern_gguf *a = load(from), *b = load(to);
  const tern_convert_params p = {0};
  tern_convert_line *lines;
  tern_error e;
  int n;
  *codes = *scales = *worst = 0;
  if (tern_convert_verify(a, b, &p, &lines, &n, &e)) fail_msg("%s", e.text);
  for (int i = 0; i < n; i++) {
    *codes += lines[i].codes_changed;
    *scales += lines[i].scales_changed;
    *worst = lines[i].worst > *worst ? lines[i].worst : *worst;
  }
  free(lines);
  tern_gguf_close(a);
  tern_gguf_close(b);
}

static void synth(const char *name, const char *type) {
  tern_error e;
  const tern_synth_params p = {.type = tern_dtype_by_name(type), .seed = 5};
  if (tern_synth(folder_path(&place, name), &tern_synth_tiny, &p, team, &e)) fail_msg("%s", e.text);
}

static void every_ternary_type_gives_back_what_it_was_given(void **state) {
  (void)state;
  synth("start", "i2_s"); /* its scales are f16 numbers: every type holds them exactly */
  for (int i = 0; tern_dtype_at(i); i++) {
    for (int k = 0; tern_dtype_at(k); k++) {
      const tern_dtype *a = tern_dtype_at(i), *b = tern_dtype_at(k);
      tern_error e;
      double codes, scales, worst;
      if (!a->ternary || !b->ternary) continue;
      if (convert("start", "a", (tern_convert_params){.type = a}, &e) ||
          convert("a", "b", (tern_convert_params){.type = b}, &e) ||
          convert("b", "end", (tern_convert_params){.type = tern_dtype_by_id(TERN_DISK_I2_S)}, &e))
        fail_msg("%s to %s: %s", a->name, b->name, e.text);
      compare("start", "b", &codes, &scales, &worst);
      if (codes != 0 || scales != 0) fail_msg("%s to %s: %g codes, %g scales changed", a->name, b->name, codes, scales);
      compare("start", "end", &codes, &scales, &worst);
      assert_true(codes == 0 && scales == 0);
    }
  }
}

static void floats_that_are_ternary_become_codes_again(void **state) {
  (void)state;
  static const char *const types[] = {"f32", "f16", "bf16"};
  double codes, scales, worst;
  tern_error e;
  synth("start", "i2_s");
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (convert("start", "float", (tern_convert_params){.type = tern_dtype_by_name(types[i])}, &e) ||
        convert("float", "end", (tern_convert_params){.type = tern_dtype_by_name("tq2_0")}, &e))
      fail_msg("%s", e.text);
    compare("start", "end", &codes, &scales, &worst);
    assert_true(codes == 0 && scales == 0);
  }
}

/* A file of one projection and an embedding; value(row, col) in f32. */
static void save(const char *name, int rows, int cols, float (*value)(int row, int col)) {
  tern_gguf_writer *w;
  tern_error e;
  char *path = path_of(name);
  const int64_t shape[2] = {cols, rows};
  float *row = calloc((size_t)cols, sizeof *row);
  if (tern_gguf_writer_open(&w, path, &e)) fail_msg("%s", e.text);
  tern_gguf_put_text(w, "general.architecture", "llama");
  tern_gguf_put_tensor(w, "blk.0.attn_q.weight", tern_dtype_by_id(TERN_DISK_F32), 2, shape);
  assert_int_equal(tern_gguf_writer_start(w, &e), 0);
  for (int r = 0; r < rows; r++) {
    for (int c = 0; c < cols; c++) row[c] = value(r, c);
    assert_int_equal(tern_gguf_writer_data(w, 0, (size_t)(r * cols) * sizeof *row, row, (size_t)cols * sizeof *row, &e),
                     0);
  }
  assert_int_equal(tern_gguf_writer_finish(w, &e), 0);
  free(row);
  free(path);
}

static float by_rows(int row, int col) { /* row 3 is zero */
  return row == 3 ? 0 : (float)(1 + row % 3) * (float)((int)(tern_random_at(9, (uint64_t)row, (uint64_t)col) % 3) - 1);
}
static float smooth(int row, int col) {
  return (float)tern_random_unit(tern_random_at(9, (uint64_t)row, (uint64_t)col)) - 0.5f;
}
static float not_finite(int row, int col) {
  return row == 5 && col == 7 ? NAN : by_rows(0, col);
}

static void refuse(const char *from, const char *type, bool absmean, const char *part) {
  tern_error e;
  int before = folder_count(&place);
  if (convert(from, "never", (tern_convert_params){.type = tern_dtype_by_name(type), .absmean = absmean}, &e) == 0)
    fail_msg("taken, want a complaint about '%s'", part);
  if (!strstr(e.text, part)) fail_msg("'%s' does not tell '%s'", e.text, part);
  assert_int_equal(folder_count(&place), before);
}

static void scales_of_rows_need_a_type_that_has_them(void **state) {
  (void)state;
  double codes, scales, worst;
  tern_error e;
  save("rows", 8, 256, by_rows);
  refuse("rows", "i2_s", false, "blk.0.attn_q.weight: its rows have scales of their own");
  for (int i = 0; tern_dtype_at(i); i++) {
    const tern_dtype *t = tern_dtype_at(i);
    if (!t->ternary || t->tail) continue;
    if (convert("rows", "end", (tern_convert_params){.type = t}, &e)) fail_msg("%s: %s", t->name, e.text);
    compare("rows", "end", &codes, &scales, &worst);
    if (codes != 0 || scales != 0) fail_msg("%s: %g codes, %g scales changed", t->name, codes, scales);
  }
}

static void what_is_not_ternary_needs_to_be_asked_for(void **state) {
  (void)state;
  save("smooth", 8, 256, smooth);
  refuse("smooth", "tq2_0", false, "--absmean");
}

static void quantising_takes_the_mean(void **state) {
  (void)state;
  tern_error e;
  double sum = 0;
  save("smooth", 8, 256, smooth);
  for (int i = 0; i < 8 * 256; i++) sum += fabs((double)smooth(i / 256, i % 256));
  double mean = sum / (8 * 256);
  if (convert("smooth", "codes", (tern_convert_params){.type = tern_dtype_by_name("i2_s"), .absmean = true}, &e))
    fail_msg("%s", e.text);
  tern_gguf *g = load("codes");
  const tern_gguf_tensor *t = tern_gguf_tensor_at(g, 0);
  for (int r = 0; r < 8; r++) {
    int8_t codes[256];
    float scale;
    assert_int_equal(t->type->row_codes(t->data, 8, 256, r, TERN_I2S_128, codes, &scale), 0);
    assert_true((double)scale > mean * (1 - 1e-6) && (double)scale < mean * (1 + 1e-6));
    for (int c = 0; c < 256; c++) {
      double x = (double)smooth(r, c) / mean;
      assert_int_equal(codes[c], x > 0.5 ? 1 : x < -0.5 ? -1 : 0);
    }
  }
  tern_gguf_close(g);
}

static void values_that_are_not_finite_are_refused(void **state) {
  (void)state;
  save("nan", 8, 256, not_finite);
  refuse("nan", "tq2_0", false, "row 5");
  refuse("nan", "tq2_0", true, "row 0"); /* the mean itself is none */
}

static void a_changed_code_is_seen(void **state) {
  (void)state;
  tern_error e;
  double codes, scales, worst;
  synth("start", "i2_s");
  if (convert("start", "end", (tern_convert_params){.type = tern_dtype_by_name("iq2_bn")}, &e)) fail_msg("%s", e.text);
  tern_gguf *g = load("end");
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, "blk.1.ffn_down.weight");
  size_t at = t->offset + 4; /* behind the first row's scale */
  uint8_t byte = t->data[4];
  tern_gguf_close(g);
  FILE *f = fopen(folder_path(&place, "end"), "r+");
  assert_non_null(f);
  fseek(f, (long)at, SEEK_SET);
  fputc((byte & ~3) | ((byte & 3) == 1 ? 2 : 1), f);
  fclose(f);
  compare("start", "end", &codes, &scales, &worst);
  assert_true(codes == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_ternary_type_gives_back_what_it_was_given),
      cmocka_unit_test(floats_that_are_ternary_become_codes_again),
      cmocka_unit_test(scales_of_rows_need_a_type_that_has_them),
      cmocka_unit_test(what_is_not_ternary_needs_to_be_asked_for),
      cmocka_unit_test(quantising_takes_the_mean),
      cmocka_unit_test(values_that_are_not_finite_are_refused),
      cmocka_unit_test(a_changed_code_is_seen),
  };
  return cmocka_run_group_tests(tests, open_all, close_all);
}
