/* The published tables inside the program: whole, mapped to claims, and able to
 * give back the published energy column. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "reports/claims.h"
#include "reports/energy_model.h"
#include "reports/published.h"

static tern_table *published(const char *name) {
  tern_error e = {0};
  tern_table *t;
  if (tern_table_published(&t, name, &e)) fail_msg("%s", e.text);
  return t;
}

static void every_table_is_carried_byte_for_byte(void **state) {
  (void)state;
  int count = 0;
  for (const char *const *name = tern_published_names(); *name; name++, count++) {
    char path[512];
    tern_error e = {0};
    size_t size, disk_size;
    const char *data = tern_published_file(*name, &size);
    snprintf(path, sizeof path, "%s/%s", PUBLISHED_DIR, *name);
    char *disk = tern_file_read(path, 1 << 24, &disk_size, &e);
    if (!disk) fail_msg("%s", e.text);
    assert_int_equal(size, disk_size);
    assert_memory_equal(data, disk, size);
    assert_int_equal(data[size], 0);
    free(disk);
  }
  assert_int_equal(count, PUBLISHED_COUNT);
  size_t size;
  assert_null(tern_published_file("no-such-table.csv", &size));
}

static void every_row_belongs_to_a_claim_or_its_table(void **state) {
  (void)state;
  tern_table *claims = published("claims.csv");
  int used[256] = {0}, rows = 0;
  assert_true(tern_table_rows(claims) < 256);
  for (const char *const *name = tern_published_names(); *name; name++) {
    if (strcmp(*name, "claims.csv") == 0 || strcmp(*name, "shapes.csv") == 0) continue;
    tern_table *t = published(*name);
    for (int row = 0; row < tern_table_rows(t); row++, rows++) {
      const char *claim = tern_table_get(t, row, "claim");
      int at = tern_table_find(claims, 0, (const char *const[]){"id", claim, NULL});
      if (at >= 0)
        used[at]++;
      else if (strcmp(claim, "table") != 0)
        fail_msg("%s row %d: claim \"%s\" is not in claims.csv", *name, row + 1, claim);
      assert_true(*tern_table_get(t, row, "source") && *tern_table_get(t, row, "confidence"));
    }
    tern_table_free(t);
  }
  for (int i = 0; i < tern_table_rows(claims); i++)
    if (!used[i]) fail_msg("claim %s has no row in any table", tern_table_get(claims, i, "id"));
  assert_true(rows > 1500);
  tern_table_free(claims);
}

static bool one_of(const char *text, const char *const *words) {
  for (; *words; words++)
    if (strcmp(text, *words) == 0) return true;
  return false;
}

static void claims_are_complete_and_consistent(void **state) {
  (void)state;
  static const char *const platforms[] = {"arm", "x86", "any", "gpu", NULL};
  static const char *const how[] = {"measured", "modelled", "printed", NULL};
  tern_claims claims;
  tern_error e = {0};
  assert_int_equal(tern_claims_read(&claims, &e), 0);
  for (int i = 0; i < claims.count; i++) {
    const tern_claim *c = &claims.items[i];
    if (!*c->id || !*c->source || !*c->text || !*c->metric || !*c->subject || !*c->high)
      fail_msg("claim %d (%s): an empty cell", i, c->id);
    assert_true(one_of(c->platform, platforms));
    assert_true(one_of(c->how_published, how));
    assert_true(!*c->low || strtod(c->low, NULL) <= strtod(c->high, NULL));
    for (int k = 0; k < i; k++) assert_string_not_equal(c->id, claims.items[k].id);
    /* A figure of an ARM or x86 CPU must not be judged on the other. */
    if (strcmp(c->platform, "arm") == 0) assert_non_null(strstr(c->needs, "arm_core"));
    if (strcmp(c->platform, "gpu") == 0) assert_string_equal(c->needs, "gpu");
  }
  tern_claims_free(&claims);
}

/* The abstract's ranges are the extremes of the tables they come from. */
static void claimed_ranges_are_those_of_the_tables(void **state) {
  (void)state;
  static const struct {
    const char *claim, *metric, *source;
  } ranges[] = {{"speedup_arm", "speedup", "arXiv:2410.16144v2 Table 4"},
                {"speedup_x86", "speedup", "arXiv:2410.16144v2 Table 4"},
                {"energy_arm", "energy saving", "arXiv:2410.16144v2 Table 6"},
                {"energy_x86", "energy saving", "arXiv:2410.16144v2 Table 6"}};
  tern_table *t = published("arxiv_2410_16144_bitnet_cpp_speed_energy.csv"), *claims = published("claims.csv");
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    double low = INFINITY, high = -INFINITY;
    const char *const pairs[] = {"claim",  ranges[i].claim,  "metric", ranges[i].metric,
                                 "source", ranges[i].source, NULL};
    for (int row = tern_table_find(t, 0, pairs); row >= 0; row = tern_table_find(t, row + 1, pairs)) {
      double v = tern_table_value(t, row, "value");
      low = fmin(low, v);
      high = fmax(high, v);
    }
    int claim = tern_table_find(claims, 0, (const char *const[]){"id", ranges[i].claim, NULL});
    assert_true(low == tern_table_value(claims, claim, "low"));
    assert_true(high == tern_table_value(claims, claim, "high"));
  }
  tern_table_free(t);
  tern_table_free(claims);
}

static void energy_column_follows_from_the_shapes(void **state) {
  (void)state;
  tern_table *t = published("arxiv_2504_12285_bitnet_2b4t.csv");
  size_t count;
  const tern_energy_row *rows = tern_energy_rows(&count);
  assert_int_equal(count, 6);
  for (size_t i = 0; i < count; i++) {
    tern_error e = {0};
    tern_shape s;
    char computed[32];
    assert_int_equal(tern_shape_find(rows[i].shape, &s, &e), 0);
    int row = tern_table_find(t, 0,
                              (const char *const[]){"source", "arXiv:2504.12285v1 Table 1", "model", rows[i].printed,
                                                    "metric", "Energy (estimated)", NULL});
    assert_true(row >= 0);
    snprintf(computed, sizeof computed, "%.3f", tern_energy_model(&s, rows[i].ternary));
    assert_string_equal(computed, tern_table_get(t, row, "value"));
  }
  tern_table_free(t);
}

static void every_shape_is_read(void **state) {
  (void)state;
  tern_table *t = published("shapes.csv");
  for (int row = 0; row < tern_table_rows(t); row++) {
    tern_error e = {0};
    tern_shape s;
    if (tern_shape_find(tern_table_get(t, row, "model"), &s, &e)) fail_msg("%s", e.text);
    assert_true(s.heads % s.kv_heads == 0 && s.rope_theta > 0);
  }
  tern_table_free(t);
  tern_error e = {0};
  tern_shape s;
  assert_int_equal(tern_shape_find("2b4t", &s, &e), 0);
  assert_int_equal(tern_shape_find("42B", &s, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "2B4T"));
  assert_int_equal(tern_shape_find("2B4T", &s, &e), 0);
  assert_true(tern_shape_body_weights(&s) == 2084044800.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_table_is_carried_byte_for_byte),
      cmocka_unit_test(every_row_belongs_to_a_claim_or_its_table),
      cmocka_unit_test(claims_are_complete_and_consistent),
      cmocka_unit_test(claimed_ranges_are_those_of_the_tables),
      cmocka_unit_test(energy_column_follows_from_the_shapes),
      cmocka_unit_test(every_shape_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
