/* Disk types: bytes against an outside oracle, the three orders of I2_S
 * against their written definition, encoders against decoders. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/random.h"
#include "engine/format/dtype.h"

static const tern_dtype *type_of(uint32_t id) {
  const tern_dtype *t = tern_dtype_by_id(id);
  assert_non_null(t);
  return t;
}

/* FNV-1a of the float bits. */
static uint64_t hash_of(const float *x, int n) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  const uint8_t *p = (const uint8_t *)x;
  for (size_t i = 0; i < (size_t)n * sizeof *x; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
  return h;
}

static void the_table_is_found_by_id_and_name(void **state) {
  (void)state;
  for (int i = 0; tern_dtype_at(i); i++) {
    const tern_dtype *t = tern_dtype_at(i);
    assert_ptr_equal(tern_dtype_by_id(t->id), t);
    assert_ptr_equal(tern_dtype_by_name(t->name), t);
    assert_int_equal(t->ternary, t->row_codes && t->put_codes);
    assert_true(t->ternary || t->put_floats);
    assert_null(tern_dtype_foreign(t->id));
  }
  assert_ptr_equal(tern_dtype_by_name("i2_s"), type_of(TERN_DISK_I2_S));
  assert_null(tern_dtype_by_name("q5_k"));
  assert_null(tern_dtype_by_id(13));
  assert_string_equal(tern_dtype_foreign(13), "Q5_K");
}

static void sizes_are_those_of_the_format(void **state) {
  (void)state;
  static const struct {
    uint32_t id;
    size_t bytes;
  } rows[] = {{TERN_DISK_F32, 40960},   {TERN_DISK_F16, 20480},  {TERN_DISK_BF16, 20480}, {TERN_DISK_Q8_0, 10880},
              {TERN_DISK_Q6_K, 8400},   {TERN_DISK_TQ1_0, 2160}, {TERN_DISK_TQ2_0, 2640}, {TERN_DISK_I2_S, 2592},
              {TERN_DISK_Q4_0, 5760},   {TERN_DISK_Q4_K, 5760},  {TERN_DISK_Q2_0, 2880},  {TERN_DISK_Q2_0_128, 2720},
              {TERN_DISK_IQ1_BN, 2096}, {TERN_DISK_IQ2_BN, 2592}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const tern_dtype *t = type_of(rows[i].id);
    assert_int_equal(t->bytes(8, 1280), rows[i].bytes);
    assert_true(t->bytes(INT64_MAX / 2, 1 << 20) == SIZE_MAX); /* overflow is no small size */
    if (t->block > 1) assert_true(t->bytes(1, t->block * 3 + 1) == SIZE_MAX);
  }
  assert_true(type_of(TERN_DISK_I2_S)->bytes(1, 64) == SIZE_MAX); /* half a block */
}

/* Hashes: what llama.cpp (gguf-py 0.17; Q4_0, Q4_K and Q2_0: ggml 0.21) makes of the same bytes. */
static void blocks_decode_as_ggml_does(void **state) {
  (void)state;
  static const struct {
    uint32_t id;
    int size, block, high, second; /* of a block: bytes, weights, places of the scales' high bytes */
    uint64_t hash;
  } rows[] = {{TERN_DISK_Q8_0, 34, 32, 1, 1, UINT64_C(0x1ad2ad8cfd62e0d9)},
              {TERN_DISK_Q6_K, 210, 256, 209, 209, UINT64_C(0x43a6bed15bc8cc68)},
              {TERN_DISK_TQ1_0, 54, 256, 53, 53, UINT64_C(0x667e26cbcbf918d5)},
              {TERN_DISK_TQ2_0, 66, 256, 65, 65, UINT64_C(0xa67480d2817d721b)},
              {TERN_DISK_Q4_0, 18, 32, 1, 1, UINT64_C(0x8393657cdd819f2f)},
              {TERN_DISK_Q4_K, 144, 256, 1, 3, UINT64_C(0x3bc70fa658267647)},
              {TERN_DISK_Q2_0, 18, 64, 1, 1, UINT64_C(0x63ef5a523ff95f55)}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint8_t data[16 * 210];
    float out[16 * 256];
    for (int k = 0; k < 16 * rows[i].size; k++) data[k] = (uint8_t)tern_random_at(7, rows[i].id, (uint64_t)k);
    for (int k = 0; k < 16; k++) data[k * rows[i].size + rows[i].high] = data[k * rows[i].size + rows[i].second] = 0x34;
    int cols = 8 * rows[i].block;
    for (int r = 0; r < 2; r++) type_of(rows[i].id)->row_floats(data, 2, cols, r, TERN_I2S_AUTO, out + r * cols);
    if (hash_of(out, 2 * cols) != rows[i].hash) fail_msg("%s decodes differently", type_of(rows[i].id)->name);
  }
}

enum { ROWS = 8, COLS = 512 };

/* Puts a code into I2_S by the definition of the order: design facts, not the encoder. */
static void place_code(uint8_t *data, tern_i2s order, int cols, int row, int col, int code) {
  size_t i = (size_t)row * (size_t)cols + (size_t)col, g = order == TERN_I2S_64 ? 16 : 32;
  size_t byte = i / (4 * g) * g + i % g;
  int shift = 6 - 2 * (int)(i % (4 * g) / g);
  if (order == TERN_I2S_ROWS4) {
    byte = (size_t)(row / 4) * (size_t)cols + (size_t)col;
    shift = 6 - 2 * (row % 4);
  }
  data[byte] |= (uint8_t)((code + 1) << shift);
}

static int code_at(int row, int col) {
  return (int)(tern_random_at(3, 1, (uint64_t)(row * 10007 + col)) % 3) - 1;
}

static void i2s_reads_in_all_three_orders(void **state) {
  (void)state;
  static const tern_i2s orders[] = {TERN_I2S_128, TERN_I2S_64, TERN_I2S_ROWS4};
  static const int widths[] = {COLS, 192, 96, 16}; /* blocks that end with the row, and that do not */
  const tern_dtype *t = type_of(TERN_DISK_I2_S);
  for (size_t k = 0; k < 3; k++) {
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
      uint8_t data[ROWS * COLS / 4 + 32] = {0};
      int cols = widths[w];
      const float scale = 0.0123f;
      for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < cols; c++) place_code(data, orders[k], cols, r, c, code_at(r, c));
      }
      memcpy(data + ROWS * cols / 4, &scale, sizeof scale);
      for (int r = 0; r < ROWS; r++) {
        int8_t codes[COLS];
        float values[COLS], got;
        assert_int_equal(t->row_codes(data, ROWS, cols, r, orders[k], codes, &got), 0);
        t->row_floats(data, ROWS, cols, r, orders[k], values);
        assert_true(got == scale);
        for (int c = 0; c < cols; c++) {
          assert_int_equal(codes[c], code_at(r, c));
          assert_true(values[c] == scale * (float)code_at(r, c));
        }
      }
    }
  }
}

static void i2s_bytes_are_those_of_bitnet_cpp(void **state) {
  (void)state;
  int8_t codes[128] = {0};
  uint8_t data[64];
  memset(data, 0xee, sizeof data);
  codes[0] = 1;    /* byte 0, bits 7-6: 2 */
  codes[32] = -1;  /* byte 0, bits 5-4: 0 */
  codes[127] = -1; /* byte 31, bits 1-0: 0 */
  type_of(TERN_DISK_I2_S)->put_codes(data, 1, 128, 0, 1, codes, 1.0f);
  assert_int_equal(data[0], 0x85);
  assert_int_equal(data[1], 0x55);
  assert_int_equal(data[31], 0x54);
  static const uint8_t one[5] = {0, 0, 0x80, 0x3f, 0};
  assert_memory_equal(data + 32, one, sizeof one); /* the scale, then zeros */
}

static uint64_t hash_of_bytes(const uint8_t *p, size_t n) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
  return h;
}

/* Hashes: ik_llama.cpp 8337e4c, ggml_quantize_chunk of the same codes times 0.25. */
static void bn_bytes_are_those_of_ik_llama_cpp(void **state) {
  (void)state;
  static const struct {
    uint32_t id;
    size_t size;
    uint64_t hash;
  } rows[] = {{TERN_DISK_IQ1_BN, 106, UINT64_C(0x977ff565b6f495e0)},
              {TERN_DISK_IQ2_BN, 132, UINT64_C(0x69b2edc6e060110b)}};
  int8_t codes[512];
  for (int i = 0; i < 512; i++) codes[i] = (int8_t)code_at(0, i);
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    uint8_t data[132];
    type_of(rows[k].id)->put_codes(data, 1, 512, 0, 1, codes, 0.25f);
    assert_int_equal(type_of(rows[k].id)->bytes(1, 512), rows[k].size);
    if (hash_of_bytes(data, rows[k].size) != rows[k].hash) fail_msg("%s", type_of(rows[k].id)->name);
  }
}

static void what_is_not_ternary_is_told(void **state) {
  (void)state;
  int8_t codes[256];
  float scale, values[256];
  uint8_t data[256 / 4 * 4 + 32] = {0};
  const tern_dtype *i2s = type_of(TERN_DISK_I2_S), *tq2 = type_of(TERN_DISK_TQ2_0);
  data[5] = 3 << 4; /* field 1 of byte 5: weight 37 */
  assert_int_equal(i2s->row_codes(data, 4, 256, 0, TERN_I2S_128, codes, &scale), 1);
  assert_int_equal(i2s->row_codes(data, 4, 256, 1, TERN_I2S_128, codes, &scale), 0);
  i2s->row_floats(data, 4, 256, 0, TERN_I2S_128, values);
  assert_true(isnan(values[37]) && !isnan(values[36]));
  assert_int_equal(i2s->row_codes(data, 2, 256, 0, TERN_I2S_ROWS4, codes, &scale), 1); /* not four rows */
  const float infinite = INFINITY;
  memset(data, 0, sizeof data);
  memcpy(data + 256, &infinite, sizeof infinite);
  assert_int_equal(i2s->row_codes(data, 4, 256, 0, TERN_I2S_128, codes, &scale), 1);
  uint8_t block[66] = {[9] = 0xc0};
  assert_int_equal(tq2->row_codes(block, 1, 256, 0, TERN_I2S_AUTO, codes, &scale), 1);
}

static void a_row_of_unequal_block_scales_has_no_codes(void **state) {
  (void)state;
  static const uint32_t ids[] = {TERN_DISK_TQ1_0, TERN_DISK_TQ2_0};
  for (size_t k = 0; k < sizeof ids / sizeof *ids; k++) {
    const tern_dtype *t = type_of(ids[k]);
    uint8_t data[3 * 66];
    int8_t codes[768], got[768];
    float scale;
    size_t block = t->bytes(1, 256);
    for (int i = 0; i < 768; i++) codes[i] = i < 256 ? 0 : (int8_t)code_at(0, i);
    t->put_codes(data, 1, 768, 0, 1, codes, 0.25f);
    data[block - 1] = 0; /* the block of zeros gets scale 0, as ggml's quantiser writes it */
    data[block - 2] = 0;
    assert_int_equal(t->row_codes(data, 1, 768, 0, TERN_I2S_AUTO, got, &scale), 0);
    assert_true(scale == 0.25f);
    assert_memory_equal(codes, got, sizeof codes);
    data[2 * block - 1] ^= 1;
    assert_int_equal(t->row_codes(data, 1, 768, 0, TERN_I2S_AUTO, got, &scale), 1);
  }
}

static void codes_come_back_from_every_ternary_type(void **state) {
  (void)state;
  int8_t codes[ROWS * COLS];
  for (int i = 0; i < ROWS * COLS; i++) codes[i] = (int8_t)code_at(i / COLS, i % COLS);
  for (int k = 0; tern_dtype_at(k); k++) {
    const tern_dtype *t = tern_dtype_at(k);
    if (!t->ternary) continue;
    uint8_t *data = calloc(1, t->bytes(ROWS, COLS)); /* its exact size: overruns are seen */
    t->put_codes(data, ROWS, COLS, 0, 3, codes, 0.5f);
    t->put_codes(data, ROWS, COLS, 3, ROWS - 3, codes + 3 * COLS, 0.5f);
    for (int r = 0; r < ROWS; r++) {
      int8_t got[COLS];
      float scale;
      assert_int_equal(t->row_codes(data, ROWS, COLS, r, TERN_I2S_AUTO, got, &scale), 0);
      assert_memory_equal(got, codes + r * COLS, COLS);
      assert_true(scale == 0.5f);
    }
    free(data);
  }
}

/* Largest error of a value over the largest value of its block. */
static void floats_come_back_within_their_types_precision(void **state) {
  (void)state;
  static const struct {
    uint32_t id;
    double error;
  } rows[] = {{TERN_DISK_F32, 0},         {TERN_DISK_F16, 0x1p-11},
              {TERN_DISK_BF16, 0x1p-8},   {TERN_DISK_Q8_0, 0.5 / 127 + 0x1p-11},
              {TERN_DISK_Q6_K, 1.0 / 30}, {TERN_DISK_Q4_0, 1.01 / 8},
              {TERN_DISK_Q4_K, 1.2 / 15}};
  static float values[ROWS * COLS];
  for (int i = 0; i < ROWS * COLS; i++) {
    values[i] = (float)(tern_random_unit(tern_random_at(5, 5, (uint64_t)i)) - 0.5) * 0.1f;
  }
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const tern_dtype *t = type_of(rows[k].id);
    uint8_t *data = calloc(1, t->bytes(ROWS, COLS));
    t->put_floats(data, ROWS, COLS, 0, 5, values);
    t->put_floats(data, ROWS, COLS, 5, ROWS - 5, values + 5 * COLS);
    for (int r = 0; r < ROWS; r++) {
      float got[COLS];
      t->row_floats(data, ROWS, COLS, r, TERN_I2S_AUTO, got);
      for (int c = 0; c < COLS; c++) {
        if (!(fabs((double)got[c] - (double)values[r * COLS + c]) <= 0.05 * rows[k].error)) {
          fail_msg("%s: %g came back as %g", t->name, (double)values[r * COLS + c], (double)got[c]);
        }
      }
    }
    free(data);
  }
}

static void q8_holds_ternary_values_exactly(void **state) {
  (void)state;
  const tern_dtype *t = type_of(TERN_DISK_Q8_0);
  for (int k = 0; k < 128 * 14; k++) { /* all scales of eight bits from 2^-14, the least normal half, to 1 */
    float scale = ldexpf((float)(128 + k % 128), -21 + k / 128), x[32], got[32];
    uint8_t data[34];
    for (int i = 0; i < 32; i++) x[i] = scale * (float)code_at(k, i);
    t->put_floats(data, 1, 32, 0, 1, x);
    t->row_floats(data, 1, 32, 0, TERN_I2S_AUTO, got);
    for (int i = 0; i < 32; i++) assert_true(got[i] == x[i]);
  }
}

static void halves_round_to_nearest_even(void **state) {
  (void)state;
  for (uint32_t h = 0; h < 65536; h++) { /* every half comes back */
    float x = tern_f32_from_f16((uint16_t)h), y = tern_f32_from_bf16((uint16_t)h);
    bool nan16 = (h & 0x7fff) > 0x7c00, nanb = (h & 0x7fff) > 0x7f80;
    assert_int_equal(tern_f16_from_f32(x), nan16 ? h | 0x200 : h);
    assert_int_equal(tern_bf16_from_f32(y), nanb ? h | 0x40 : h);
  }
  static const struct {
    float x;
    uint16_t f16, bf16;
  } rows[] = {{1.0f, 0x3c00, 0x3f80},        {0x1.002p0f, 0x3c00, 0x3f80},      {0x1.006p0f, 0x3c02, 0x3f80},
              {0x1.0021p0f, 0x3c01, 0x3f80}, {65504.0f, 0x7bff, 0x4780},        {65519.9f, 0x7bff, 0x4780},
              {65520.0f, 0x7c00, 0x4780},    {0x1p-24f, 0x0001, 0x3380},        {0x1p-25f, 0x0000, 0x3300},
              {0x1.8p-24f, 0x0002, 0x33c0},  {0x1.000002p-25f, 0x0001, 0x3300}, {-0.0f, 0x8000, 0x8000},
              {0x1.01p0f, 0x3c04, 0x3f80},   {0x1.03p0f, 0x3c0c, 0x3f82},       {3.4e38f, 0x7c00, 0x7f80}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (tern_f16_from_f32(rows[i].x) != rows[i].f16) fail_msg("%a as f16", (double)rows[i].x);
    if (tern_bf16_from_f32(rows[i].x) != rows[i].bf16) fail_msg("%a as bf16", (double)rows[i].x);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table_is_found_by_id_and_name),
      cmocka_unit_test(sizes_are_those_of_the_format),
      cmocka_unit_test(blocks_decode_as_ggml_does),
      cmocka_unit_test(i2s_reads_in_all_three_orders),
      cmocka_unit_test(i2s_bytes_are_those_of_bitnet_cpp),
      cmocka_unit_test(bn_bytes_are_those_of_ik_llama_cpp),
      cmocka_unit_test(what_is_not_ternary_is_told),
      cmocka_unit_test(a_row_of_unequal_block_scales_has_no_codes),
      cmocka_unit_test(codes_come_back_from_every_ternary_type),
      cmocka_unit_test(floats_come_back_within_their_types_precision),
      cmocka_unit_test(q8_holds_ternary_values_exactly),
      cmocka_unit_test(halves_round_to_nearest_even),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
