/* Shapes: every published row becomes a model that can be planned; a mistyped
 * name is answered with the nearest ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/nearest.h"
#include "harness/shapes.h"

static tern_synth_shape find(const char *name) {
  tern_error e = {0};
  tern_synth_shape s;
  if (tern_shapes_find(name, &s, &e)) fail_msg("%s", e.text);
  return s;
}

static void architectures_follow_from_the_table(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"2B4T", "bitnet-b1.58"},     {"700M", "bitnet"},          {"3B", "bitnet"},
      {"100B", "bitnet"},           {"Llama3-8B-1.58", "llama"}, {"TriLM-3.9B", "llama"},
      {"Falcon3-1B-1.58", "llama"}, {"Qwen2.5-1.5B", "qwen2"},   {"Qwen3-4B", "qwen3"},
      {"Gemma-3-1B", "gemma3"},     {"MiniCPM-2B", "minicpm"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_string_equal(find(rows[i][0]).arch, rows[i][1]);
}

static void compared_models_keep_their_16_bits(void **state) {
  (void)state;
  static const char *const full[] = {"LLaMA-3.2-1B", "Gemma-3-1B", "Qwen2.5-1.5B", "SmolLM2-1.7B", "MiniCPM-2B"};
  static const char *const ternary[] = {"2B4T", "3B", "Falcon3-1B-1.58", "Qwen3-4B"};
  tern_synth_params params = {0};
  for (size_t i = 0; i < sizeof full / sizeof *full; i++) {
    tern_synth_shape s = find(full[i]);
    assert_string_equal(tern_synth_type(&s, &params)->name, "F16");
  }
  for (size_t i = 0; i < sizeof ternary / sizeof *ternary; i++) {
    tern_synth_shape s = find(ternary[i]);
    assert_string_equal(tern_synth_type(&s, &params)->name, "I2_S");
  }
}

static void numbers_are_the_tables(void **state) {
  (void)state;
  tern_synth_shape s = find("2b4t"); /* case counts not */
  assert_string_equal(s.name, "2B4T");
  assert_true(s.layers == 30 && s.hidden == 2560 && s.ffn == 6912 && s.heads == 20 && s.kv_heads == 5);
  assert_true(s.head_dim == 128 && s.vocab == 128256 && s.rope_theta == 500000 && s.tied);
  assert_false(find("Llama3-8B-1.58").tied);
  tern_synth_shape tiny = find("tiny");
  assert_memory_equal(&tiny, &tern_synth_tiny, sizeof tiny); /* engine tests use the constant */
}

static void every_shape_can_be_planned(void **state) {
  (void)state;
  FILE *f = tmpfile();
  tern_error e = {0};
  char line[400], name[64];
  int shapes = 0;
  assert_int_equal(tern_shapes_list(f, &e), 0);
  rewind(f);
  assert_non_null(fgets(line, sizeof line, f)); /* the heading */
  for (; fgets(line, sizeof line, f); shapes++) {
    static const char *const types[] = {"i2_s", "f16", "q8_0"};
    assert_int_equal(sscanf(line, "%63s", name), 1);
    tern_synth_shape s = find(name);
    for (size_t k = 0; k < 3; k++) {
      const tern_synth_params p = {.type = tern_dtype_by_name(types[k])};
      size_t bytes;
      if (tern_synth_bytes(&s, &p, &bytes, &e)) fail_msg("%s", e.text);
    }
  }
  fclose(f);
  assert_true(shapes >= 30);
}

static void the_bytes_of_2b4t_are_those_of_the_paper(void **state) {
  (void)state;
  tern_error e = {0};
  tern_synth_shape s = find("2B4T");
  size_t bytes;
  assert_int_equal(tern_synth_bytes(&s, &(tern_synth_params){0}, &bytes, &e), 0);
  assert_in_range(bytes, 521000000 + 656600000, 523000000 + 656800000); /* 2.08 G codes at 2 bits, and the f16 head */
}

static void a_mistyped_name_is_answered_with_the_nearest(void **state) {
  (void)state;
  tern_error e = {0};
  tern_synth_shape s;
  assert_int_equal(tern_shapes_find("2B4", &s, &e), TERN_USAGE);
  assert_non_null(strstr(e.text, "nearest: 2B4T"));
  assert_int_equal(tern_shapes_find("Lama3-8B-1.58", &s, &e), TERN_USAGE);
  assert_non_null(strstr(e.text, "nearest: Llama3-8B-1.58"));
  assert_int_equal(tern_shapes_find("", &s, &e), TERN_USAGE);
  assert_int_equal(tern_name_distance("kitten", "sitting"), 3);
  assert_int_equal(tern_name_distance("ABC", "abc"), 0);
  assert_int_equal(tern_name_distance("", "abc"), 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(architectures_follow_from_the_table),
      cmocka_unit_test(compared_models_keep_their_16_bits),
      cmocka_unit_test(numbers_are_the_tables),
      cmocka_unit_test(every_shape_can_be_planned),
      cmocka_unit_test(the_bytes_of_2b4t_are_those_of_the_paper),
      cmocka_unit_test(a_mistyped_name_is_answered_with_the_nearest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
