/* The second energy model: its tables are the published ones, its bytes follow
 * from the shape, and traffic outweighs what the published column counts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/csv_read.h"
#include "reports/energy_model.h"
#include "reports/energy_traffic.h"

static const double CACHES[TERN_LEVEL_DRAM] = {32e3, 1e6, 32e6};

static void near(double a, double b) {
  if (!(fabs(a - b) <= 1e-9 * fabs(b))) fail_msg("%.12g is not %.12g", a, b);
}

static tern_shape shape_named(const char *name) {
  tern_shape s;
  tern_error e = {0};
  if (tern_shape_find(name, &s, &e)) fail_msg("%s", e.text);
  return s;
}

static tern_energy_case decode(const tern_shape *s, int format, int depth) {
  size_t count;
  tern_energy_case c = {.shape = s, .format = &tern_energy_formats(&count)[format], .tokens = 1, .depth = depth};
  memcpy(c.cache, CACHES, sizeof CACHES);
  return c;
}

static void every_energy_is_the_published_one(void **state) {
  static const struct {
    const char *metric;
    size_t offset;
  } fields[] = {{"ADD energy INT8", offsetof(tern_energy_node, add_int8)},
                {"ADD energy INT32", offsetof(tern_energy_node, add_int32)},
                {"MUL energy INT8", offsetof(tern_energy_node, mul_int8)},
                {"ADD energy FP16", offsetof(tern_energy_node, add_fp16)},
                {"MUL energy FP16", offsetof(tern_energy_node, mul_fp16)},
                {"SRAM 32 KB, 64-bit access energy", offsetof(tern_energy_node, sram_32k)},
                {"SRAM 1 MB, 64-bit access energy", offsetof(tern_energy_node, sram_1m)},
                {"DRAM DDR3/4, 64-bit access energy", offsetof(tern_energy_node, dram)}};
  (void)state;
  tern_table *t;
  tern_error e = {0};
  size_t count;
  const tern_energy_node *nodes = tern_energy_nodes(&count);
  if (tern_table_published(&t, "per_operation_energy_tables.csv", &e)) fail_msg("%s", e.text);
  assert_int_equal(count, 2);
  for (size_t n = 0; n < count; n++)
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
      int row =
          tern_table_find(t, 0, (const char *const[]){"platform", nodes[n].name, "metric", fields[i].metric, NULL});
      assert_true(row >= 0);
      near(*(const double *)((const char *)&nodes[n] + fields[i].offset), tern_table_value(t, row, "value"));
    }
  tern_table_free(t);
  near(nodes[1].mul_fp16 + nodes[1].add_fp16, TERN_ENERGY_FP16_MAC);
  near(nodes[1].add_int8, TERN_ENERGY_INT8_ADD);
}

/* 30 layers, 2560 wide, 20 and 5 heads of 128, 6912, 128256 tokens. */
static void bytes_of_a_decoded_token_follow_from_the_shape(void **state) {
  (void)state;
  size_t count;
  const tern_energy_node *node = &tern_energy_nodes(&count)[1];
  tern_shape s = shape_named("2B4T");
  double body = 30.0 * (2 * 2560 * 2560 + 2 * 2560 * 640 + 3.0 * 2560 * 6912), head = 2560.0 * 128256 * 2;
  double kv = 30.0 * 2 * 640 * 2;
  tern_energy_case c = decode(&s, 0, 511);
  tern_energy_split e = tern_energy_traffic(&c, node);
  near(e.bytes[TERN_LEVEL_DRAM], body / 4 + head + kv * 512 + kv);
  near(e.traffic[TERN_LEVEL_DRAM], 162.5e-12 * e.bytes[TERN_LEVEL_DRAM]);
  near(e.arithmetic, 1e-12 * (body * 0.007 + (head / 2 + 30.0 * 2 * 2560 * 512) * 0.5));
  c = decode(&s, 3, 511);
  tern_energy_split f16 = tern_energy_traffic(&c, node);
  near(f16.bytes[TERN_LEVEL_DRAM] - e.bytes[TERN_LEVEL_DRAM], body * (2 - 0.25));
  near(f16.total, f16.arithmetic + f16.traffic[0] + f16.traffic[1] + f16.traffic[2] + f16.traffic[3]);
  /* What the published column leaves out is most of it, and its ratio shrinks with it. */
  assert_true(e.traffic[TERN_LEVEL_DRAM] > 0.7 * e.total);
  assert_true(f16.total / e.total < 0.1 * TERN_ENERGY_FP16_MAC / TERN_ENERGY_INT8_ADD);
}

static void a_pass_over_many_tokens_reads_the_weights_once(void **state) {
  (void)state;
  size_t count;
  const tern_energy_node *node = tern_energy_nodes(&count);
  tern_shape s = shape_named("2B4T");
  tern_energy_case one = decode(&s, 0, 0), many = one;
  many.tokens = 512;
  tern_energy_split a = tern_energy_traffic(&one, node), b = tern_energy_traffic(&many, node);
  assert_true(b.bytes[TERN_LEVEL_DRAM] < 1.2 * a.bytes[TERN_LEVEL_DRAM]);
  assert_true(b.bytes[TERN_LEVEL_L1] > 30 * a.bytes[TERN_LEVEL_L1]);
  assert_true(b.total / 512 < a.total / 5);
}

static void what_fits_a_cache_costs_nothing_beyond_it(void **state) {
  (void)state;
  size_t count;
  const tern_energy_node *node = tern_energy_nodes(&count);
  tern_shape s = shape_named("125M");
  tern_energy_case c = decode(&s, 0, 0);
  assert_true(tern_energy_traffic(&c, node).bytes[TERN_LEVEL_DRAM] > 0);
  c.cache[TERN_LEVEL_L3] = 1e9;
  tern_energy_split e = tern_energy_traffic(&c, node);
  assert_true(e.bytes[TERN_LEVEL_DRAM] == 0 && e.bytes[TERN_LEVEL_L3] > 0);
  c.cache[TERN_LEVEL_L2] = 1e9;
  e = tern_energy_traffic(&c, node);
  assert_true(e.bytes[TERN_LEVEL_L3] == 0 && e.bytes[TERN_LEVEL_L2] > 0);
}

static void the_report_shows_where_the_energy_goes(void **state) {
  (void)state;
  static const char *const rows[] = {
      "| ternary, 2 bits | 7 nm | 0.22 | 1.43 | 2.13 | 2.13 | 197.79 | 203.70 | modelled |",
      "| f16 | 45 nm | 3.74 | 12.81 | 60.80 | 60.80 | 790.44 | 928.59 | modelled |"};
  tern_results none = {0};
  tern_doc d = {0};
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  assert_non_null(out);
  tern_section_traffic(&d, &none);
  tern_doc_markdown(&d, out);
  fclose(out);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!strstr(text, rows[i])) fail_msg("no row '%s' in\n%s", rows[i], text);
  free(text);
  tern_doc_free(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_energy_is_the_published_one),
      cmocka_unit_test(bytes_of_a_decoded_token_follow_from_the_shape),
      cmocka_unit_test(a_pass_over_many_tokens_reads_the_weights_once),
      cmocka_unit_test(what_fits_a_cache_costs_nothing_beyond_it),
      cmocka_unit_test(the_report_shows_where_the_energy_goes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
