/* Memory, error lines and random numbers: the small promises of engine/base. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/random.h"

static void memory_is_aligned_and_zero(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 63, 4096, (1 << 20) - 1, 1 << 20, (5 << 20) + 17};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    tern_error e = {0};
    uint8_t *p = tern_alloc(sizes[i], "test", &e);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (size_t k = 0; k < sizes[i]; k++) {
      if (p[k]) fail_msg("byte %zu of %zu is not zero", k, sizes[i]);
    }
    memset(p, 0xff, sizes[i]); /* all of it can be written */
    tern_free(p, sizes[i]);
  }
  tern_free(NULL, 100);
}

static void too_much_memory_is_an_error_that_names_it(void **state) {
  (void)state;
  tern_error e = {0};
  assert_null(tern_alloc(tern_mul(SIZE_MAX / 2, 3), "the moon", &e));
  assert_non_null(strstr(e.text, "the moon"));
  assert_null(tern_alloc(SIZE_MAX - 1, "the sun", &e));
  assert_non_null(strstr(e.text, "the sun"));
  assert_null(tern_alloc((size_t)1 << 60, "the stars", &e));
  assert_int_equal(e.status, TERN_FAILED);
  assert_true(tern_memory_available() > 1 << 20);
}

static void products_saturate(void **state) {
  (void)state;
  assert_int_equal(tern_mul(6, 7), 42);
  assert_int_equal(tern_mul(SIZE_MAX, 0), 0);
  assert_true(tern_mul(SIZE_MAX / 2 + 1, 2) == SIZE_MAX);
}

static void error_lines_are_one_printable_line(void **state) {
  (void)state;
  tern_error e = {0};
  assert_int_equal(tern_fail(&e, TERN_USAGE, "a%sb", "\n\x1b[31m\x7f\t"), TERN_USAGE);
  assert_string_equal(e.text, "a??[31m??b");
  tern_fail(&e, TERN_FAILED, "%s", "gr\xc3\xbc\xc3\x9f \xff \xc2\x9b \xe2\x82 \xf0\x9f\x98\x80");
  assert_string_equal(e.text, "gr\xc3\xbc\xc3\x9f ? ?? ?? \xf0\x9f\x98\x80");
  tern_fail(&e, TERN_FAILED, "again: %s", e.text); /* its own text as an argument */
  assert_int_equal(strncmp(e.text, "again: gr", 9), 0);
  char longer[2000];
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  errno = ENOSPC;
  assert_int_equal(tern_fail_errno(&e, "%s", longer), TERN_FAILED);
  assert_non_null(strstr(e.text, ": No space left on device")); /* the reason survives a long name */
}

/* Fixed numbers: files of synth depend on them. */
static void random_numbers_never_change(void **state) {
  (void)state;
  assert_true(tern_random_at(UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)) == UINT64_C(0x568a9b0b1a2c05ec));
  assert_true(tern_random_at(UINT64_C(0x1), UINT64_C(0x2), UINT64_C(0x3)) == UINT64_C(0xeb3aa0ce549fec8c));
  assert_true(tern_random_at(UINT64_C(0xffffffffffffffff), UINT64_C(0x4000000000000000), UINT64_C(0x10000000000)) ==
              UINT64_C(0xa172e81258f24d6f));
  assert_true(tern_random_unit(0) == 0.0);
  assert_true(tern_random_unit(UINT64_MAX) < 1.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_aligned_and_zero),  cmocka_unit_test(too_much_memory_is_an_error_that_names_it),
      cmocka_unit_test(products_saturate),           cmocka_unit_test(error_lines_are_one_printable_line),
      cmocka_unit_test(random_numbers_never_change),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
