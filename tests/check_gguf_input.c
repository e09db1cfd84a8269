/* Hostile GGUF: every wrong field is refused with a line that names the
 * trouble; nothing is read outside the bytes (each case lies in a block of its
 * exact size, so that AddressSanitizer sees one byte too far). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/format/gguf.h"

/* A small file made by hand, with the places of its fields. */
typedef struct file {
  uint8_t data[4096];
  size_t size;
  size_t version, tensors, keys, key_length, text_type, text_length, array_type, item_type, item_count, boolean;
  size_t alignment_type, alignment, name_length, dims, shape, type, offset, second_key, second_name, second_offset;
} file;

static size_t put(file *f, const void *data, size_t n) {
  size_t at = f->size;
  assert_true(at + n <= sizeof f->data);
  memcpy(f->data + at, data, n);
  f->size += n;
  return at;
}
static size_t put32(file *f, uint32_t v) {
  return put(f, &v, sizeof v);
}
static size_t put64(file *f, uint64_t v) {
  return put(f, &v, sizeof v);
}
static size_t put_text(file *f, const char *s) {
  size_t at = put64(f, strlen(s));
  put(f, s, strlen(s));
  return at;
}

enum { U32 = 4, BOOL = 7, TEXT = 8, ARRAY = 9, COLS = 256, KEYS = 5, VALUES = 2 };

static void put_keys(file *f) {
  f->key_length = put_text(f, "general.name");
  f->text_type = put32(f, TEXT);
  f->text_length = put_text(f, "x");
  f->second_key = put_text(f, "general.list");
  f->array_type = put32(f, ARRAY);
  f->item_type = put32(f, TEXT);
  f->item_count = put64(f, VALUES);
  put_text(f, "first");
  put_text(f, "last");
  put_text(f, "bool");
  put32(f, BOOL);
  f->boolean = put(f, "\1", 1);
  put_text(f, "general.alignment");
  f->alignment_type = put32(f, U32);
  f->alignment = put32(f, 64);
  put_text(f, "reals");
  put32(f, ARRAY);
  put32(f, 6);
  put64(f, 2);
  put64(f, 0);
}

static file small_file(void) {
  file f = {0};
  put(&f, "GGUF", 4);
  f.version = put32(&f, 3);
  f.tensors = put64(&f, 2);
  f.keys = put64(&f, KEYS);
  put_keys(&f);
  f.name_length = put_text(&f, "t.1");
  f.dims = put32(&f, 2);
  f.shape = put64(&f, COLS);
  put64(&f, 2);
  f.type = put32(&f, TERN_DISK_TQ2_0);
  f.offset = put64(&f, 0);
  f.second_name = put_text(&f, "t.2");
  put32(&f, 1);
  put64(&f, 8);
  put32(&f, TERN_DISK_F32);
  f.second_offset = put64(&f, 192);
  while (f.size % 64) put(&f, "", 1);
  static const uint8_t zeros[192 + 32];
  put(&f, zeros, sizeof zeros);
  return f;
}

static int parse(const uint8_t *data, size_t size, tern_error *e) {
  uint8_t *exact = malloc(size ? size : 1);
  tern_gguf *g;
  memcpy(exact, data, size);
  *e = (tern_error){0};
  int rc = tern_gguf_parse(&g, exact, size, "bad.gguf", e);
  assert_true((rc == 0) == (g != NULL));
  tern_gguf_close(g);
  free(exact);
  return rc;
}

/* Sets `n` bytes at `at` and expects a refusal whose line has `part`. */
static void refuse(size_t at, uint64_t value, size_t n, const char *part) {
  file f = small_file();
  tern_error e;
  memcpy(f.data + at, &value, n);
  if (parse(f.data, f.size, &e) == 0) fail_msg("taken, want a complaint about '%s'", part);
  if (!strstr(e.text, part) || !strstr(e.text, "bad.gguf")) fail_msg("'%s' does not tell '%s'", e.text, part);
}

static void the_small_file_itself_is_good(void **state) {
  (void)state;
  file f = small_file();
  tern_error e;
  if (parse(f.data, f.size, &e)) fail_msg("%s", e.text);
  f.data[f.version] = 2;
  if (parse(f.data, f.size, &e)) fail_msg("%s", e.text);
}

static void every_truncation_is_refused(void **state) {
  (void)state;
  file f = small_file();
  for (size_t n = 0; n < f.size; n++) {
    tern_error e;
    if (parse(f.data, n, &e) == 0) fail_msg("the first %zu of %zu bytes were taken", n, f.size);
    assert_true(strlen(e.text) > 10);
  }
}

static void wrong_magic_and_versions_are_refused(void **state) {
  (void)state;
  file f = small_file();
  refuse(0, 0x46554746, 4, "magic");
  refuse(f.version, 1, 4, "version 1");
  refuse(f.version, 4, 4, "version 4");
  refuse(f.version, 0x03000000, 4, "big-endian");
}

static void counts_past_the_end_are_refused(void **state) {
  (void)state;
  file f = small_file();
  static const uint64_t huge[] = {1000, UINT32_MAX, (uint64_t)1 << 61, UINT64_MAX};
  for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
    refuse(f.tensors, huge[i], 8, "tensors");
    refuse(f.keys, huge[i], 8, "keys");
    refuse(f.item_count, huge[i] * 8, 8, "");
    refuse(f.item_count, (uint64_t)1 << 61, 8, "truncated");
    refuse(f.key_length, huge[i], 8, "key");
    refuse(f.text_length, huge[i], 8, "");
    refuse(f.name_length, huge[i], 8, "name");
    refuse(f.offset, huge[i] / 64 * 64, 8, "t.1");
  }
  refuse(f.keys, KEYS + 1, 8, "");
  refuse(f.tensors, 3, 8, "");
}

static void wrong_types_and_names_are_refused(void **state) {
  (void)state;
  file f = small_file();
  refuse(f.text_type, 13, 4, "type 13");
  refuse(f.item_type, 99, 4, "type 99");
  refuse(f.item_type, ARRAY, 4, "arrays of arrays");
  refuse(f.boolean, 2, 1, "boolean");
  refuse(f.key_length, 0, 8, "key");
  refuse(f.key_length + 8 + 3, 0, 1, "NUL");
  refuse(f.name_length, 0, 8, "name");
  refuse(f.name_length + 8, 0, 1, "NUL");
  refuse(f.type, 13, 4, "Q5_K");
  refuse(f.type, 13, 4, "'t.1'");
  refuse(f.type, 777, 4, "777");
  refuse(f.type, TERN_DISK_Q2_0_128, 4, "unknown"); /* a name of our own, never a file's */
}

static void wrong_shapes_are_refused(void **state) {
  (void)state;
  file f = small_file();
  refuse(f.dims, 0, 4, "0 dimensions");
  refuse(f.dims, 5, 4, "5 dimensions");
  refuse(f.shape, 0, 8, "dimension 0");
  refuse(f.shape + 8, 0, 8, "dimension 1");
  refuse(f.shape, COLS + 1, 8, "multiple of 256");
  refuse(f.shape, 2 * COLS, 8, ""); /* then it overlaps the next */
  refuse(f.shape + 8, 1 << 20, 8, "cannot be in a file");
  refuse(f.shape, UINT64_C(1) << 40, 8, "too large"); /* products that would overflow */
  refuse(f.shape + 8, UINT64_C(1) << 63, 8, "too large");
  refuse(f.shape + 8, UINT64_MAX, 8, "too large");
}

static void wrong_places_are_refused(void **state) {
  (void)state;
  file f = small_file();
  refuse(f.offset, 32, 8, "aligned");
  refuse(f.second_offset, 256, 8, "past the end");
  refuse(f.second_offset, 0, 8, "overlap");
  refuse(f.second_offset, 128, 8, "overlap");
  refuse(f.alignment, 0, 4, "alignment");
  refuse(f.alignment, 48, 4, "alignment");
  refuse(f.alignment, 1, 4, "alignment");
  refuse(f.alignment, UINT32_MAX, 4, "alignment");
  refuse(f.alignment_type, 6, 4, "alignment"); /* a float */
}

static void duplicates_are_refused(void **state) {
  (void)state;
  file f = small_file();
  tern_error e;
  memcpy(f.data + f.second_key + 8, "general.name", 12);
  assert_int_equal(parse(f.data, f.size, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "duplicate key 'general.name'"));
  f = small_file();
  f.data[f.second_name + 8 + 2] = '1';
  assert_int_equal(parse(f.data, f.size, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "duplicate tensor 't.1'"));
}

/* No single byte, whatever it becomes, makes the parser read astray; a line is given or a reader that can be walked. */
static void every_byte_may_be_anything(void **state) {
  (void)state;
  static const uint8_t values[] = {0, 1, 2, 7, 8, 9, 0x7f, 0x80, 0xff};
  file f = small_file();
  for (size_t i = 0; i < f.size; i++) {
    for (size_t k = 0; k < sizeof values; k++) {
      tern_error e;
      uint8_t old = f.data[i];
      f.data[i] = values[k];
      if (parse(f.data, f.size, &e)) assert_true(strlen(e.text) > 10);
      f.data[i] = old;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_small_file_itself_is_good),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(wrong_magic_and_versions_are_refused),
      cmocka_unit_test(counts_past_the_end_are_refused),
      cmocka_unit_test(wrong_types_and_names_are_refused),
      cmocka_unit_test(wrong_shapes_are_refused),
      cmocka_unit_test(wrong_places_are_refused),
      cmocka_unit_test(duplicates_are_refused),
      cmocka_unit_test(every_byte_may_be_anything),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
