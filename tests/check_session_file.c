/* Session files: a continuation has the bits of one that was never saved, and
 * nothing that is not such a file gets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/random.h"
#include "engine/model/model.h"
#include "tests/reference_file.h"

enum { VOCAB = 90, TEXT = 20, FED = 11 };
static const tiny_shape shape = {"bitnet-b1.58", 2, 64, 96, 4, 2, VOCAB, 64, "I2_S", "F16", false, 0, 0};
static const tiny_shape stranger = {"bitnet-b1.58", 2, 64, 96, 4, 2, VOCAB, 64, "I2_S", "F16", false, 1.5f, 0};
static int32_t text[TEXT];
static char path[64];

typedef struct fixture {
  tern_team *team;
  tern_model *m;
} fixture;

static fixture open_model(const tiny_shape *of, const char *layout, int threads) {
  fixture f;
  tern_gguf *g;
  tern_error e = {0};
  char file[64];
  tern_model_params p = {.layout = layout, .isa_cap = TERN_ISA_COUNT};
  tiny_write(file, of, NULL, NULL, 8);
  assert_int_equal(tern_gguf_open(&g, file, &e), 0);
  unlink(file);
  assert_int_equal(tern_team_open(&f.team, threads, NULL, &e), 0);
  assert_int_equal(tern_model_load(&f.m, g, &p, f.team, &e), 0);
  tern_gguf_close(g);
  return f;
}

static void close_model(fixture *f) {
  tern_model_close(f->m);
  tern_team_close(f->team);
}

static tern_session *open_session(const fixture *f, tern_kv_type kv, int context) {
  tern_session *s;
  tern_error e = {0};
  tern_session_params p = {.context = context, .kv = kv};
  assert_int_equal(tern_session_open(&s, f->m, f->team, &p, &e), 0);
  return s;
}

static int setup(void **state) {
  (void)state;
  for (int i = 0; i < TEXT; i++) text[i] = (i * i * 5 + 7) % VOCAB;
  snprintf(path, sizeof path, "/tmp/check_session_file.%d", (int)getpid());
  return 0;
}

static int teardown(void **state) {
  (void)state;
  unlink(path);
  return 0;
}

/* Feeds the first part, saves with two ids pending, and gives the logits after all. */
static void save(const fixture *f, tern_kv_type kv, float *logits) {
  tern_session *s = open_session(f, kv, 40);
  tern_error e = {0};
  assert_int_equal(tern_session_eval(s, text, FED, TERN_WANT_NONE, NULL, &e), 0);
  if (tern_session_save(s, path, text + FED, 2, &e)) fail_msg("%s", e.text);
  assert_int_equal(tern_session_eval(s, text + FED, TEXT - FED, TERN_WANT_LAST, logits, &e), 0);
  tern_session_close(s);
}

static void a_loaded_session_goes_on_bit_for_bit(void **state) {
  (void)state;
  fixture saver = open_model(&shape, "t2", 2),
          loader = open_model(&shape, "t5", 1); /* layouts and teams don't matter */
  for (int kv = TERN_KV_F32; kv <= TERN_KV_INT8; kv++) {
    float want[VOCAB], got[VOCAB];
    tern_session_file_facts facts;
    tern_error e = {0};
    int32_t *ids;
    int n;
    save(&saver, (tern_kv_type)kv, want);
    assert_int_equal(tern_session_peek(path, &facts, &e), 0);
    assert_true(facts.kv == (tern_kv_type)kv && facts.positions == FED && facts.ids == FED + 2);
    tern_session *s = open_session(&loader, (tern_kv_type)kv, TEXT); /* another context */
    if (tern_session_load(s, path, &ids, &n, &e)) fail_msg("%s", e.text);
    assert_int_equal(n, FED + 2);
    assert_memory_equal(ids, text, (size_t)n * sizeof *ids);
    assert_int_equal(tern_session_position(s), FED);
    assert_int_equal(tern_session_reuse(s, text, TEXT), FED);
    assert_int_equal(tern_session_eval(s, text + FED, TEXT - FED, TERN_WANT_LAST, got, &e), 0);
    assert_memory_equal(want, got, sizeof want);
    free(ids);
    tern_session_close(s);
  }
  close_model(&saver);
  close_model(&loader);
}

static void refused(const fixture *f, tern_kv_type kv, int context, const char *why) {
  tern_session *s = open_session(f, kv, context);
  tern_error e = {0};
  int32_t *ids;
  int n;
  int rc = tern_session_load(s, path, &ids, &n, &e);
  if (rc != TERN_FAILED || !strstr(e.text, why)) fail_msg("%d, \"%s\", want \"%s\"", rc, e.text, why);
  assert_null(ids);
  assert_int_equal(tern_session_position(s), 0);
  assert_int_equal(tern_session_eval(s, text, 1, TERN_WANT_NONE, NULL, &e), 0); /* still of use */
  tern_session_close(s);
}

static void files_of_others_are_refused_with_the_reason(void **state) {
  (void)state;
  float logits[VOCAB];
  fixture own = open_model(&shape, "t2", 1), other = open_model(&stranger, "t2", 1),
          wide = open_model(&shape, "f16", 1);
  save(&own, TERN_KV_F16, logits);
  refused(&other, TERN_KV_F16, 40, "of another model");
  refused(&wide, TERN_KV_F16, 40, "of another model, or of the same with other weight types");
  refused(&own, TERN_KV_F32, 40, "KV cache of type f16, not f32: take --kv f16");
  refused(&own, TERN_KV_F16, 10, "session of 11 positions, more than the context of 10");
  unlink(path);
  refused(&own, TERN_KV_F16, 40, "cannot open");
  close_model(&own);
  close_model(&other);
  close_model(&wide);
}

static void write_file(const char *data, size_t size) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(data, 1, size, f), size);
  fclose(f);
}

/* Cut anywhere, one byte changed anywhere, or noise: refused, never a crash. */
static void hostile_files_are_refused(void **state) {
  (void)state;
  float logits[VOCAB];
  fixture own = open_model(&shape, "t2", 1);
  tern_error e = {0};
  size_t size;
  save(&own, TERN_KV_INT8, logits);
  char *file = tern_file_read(path, 1 << 24, &size, &e);
  assert_non_null(file);
  for (uint64_t i = 0; i < 300; i++) {
    uint64_t r = tern_random_at(3, 4, i);
    size_t at = i < 60 ? (size_t)i % size : (size_t)(r % size);
    char old = file[at];
    file[at] = (char)(old ^ (char)(1 + (r >> 40) % 255));
    write_file(file, size);
    file[at] = old;
    refused(&own, TERN_KV_INT8, 40, path);
    write_file(file, at);
    refused(&own, TERN_KV_INT8, 40, path);
  }
  char *longer = malloc(size + 1);
  memcpy(longer, file, size);
  longer[size] = 0;
  write_file(longer, size + 1);
  refused(&own, TERN_KV_INT8, 40, "its header says");
  write_file("", 0);
  refused(&own, TERN_KV_INT8, 40, "not a session file");
  write_file(file, size);
  refused(&own, TERN_KV_F16, 40, "KV cache of type int8");
  free(longer);
  free(file);
  close_model(&own);
}

/* The old file stays when the new one can't be written. */
static void a_failed_save_leaves_the_old_file(void **state) {
  (void)state;
  fixture own = open_model(&shape, "t2", 1);
  tern_session *s = open_session(&own, TERN_KV_F16, 40);
  tern_error e = {0};
  assert_int_equal(tern_session_eval(s, text, FED, TERN_WANT_NONE, NULL, &e), 0);
  assert_int_equal(tern_session_save(s, "/nowhere/at/all", NULL, 0, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "/nowhere/at/all"));
  tern_session_close(s);
  close_model(&own);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_loaded_session_goes_on_bit_for_bit),
      cmocka_unit_test(files_of_others_are_refused_with_the_reason),
      cmocka_unit_test(hostile_files_are_refused),
      cmocka_unit_test(a_failed_save_leaves_the_old_file),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
