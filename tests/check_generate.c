/* Generation with real trained models (../shared, skipped where absent): the
 * documented greedy texts, and that nothing but the seed changes a text. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/interrupt.h"
#include "engine/generate/generate.h"
#include "tests/stories.h"

static const char stories_text[] =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
    "big, red ball. She wanted to play with it, but it was too high.\nLily's mom said, ";
static const char ternary_text[] =
    "Once upon a time, there was a little girl named Lily. She loved to play outside and explore the world around her. "
    "One day, she saw a big, red ball. She was so happy and wanted to play with it.\nBut then, she saw a big ball. She "
    "was scared and didn't know what to do. She asked her mommy, ";

typedef struct setup { /* zeros: as the file's weights ask for */
  const char *layout, *head, *prompt;
  tern_kv_type kv;
  tern_isa isa;
  bool exact;
  int threads, tokens, context;
  tern_sampler_params sampling;
} setup;

typedef struct written {
  char text[4096];
  size_t size;
  bool interrupt; /* raise SIGINT at the first text */
} written;

/* The checkpoint as GGUF; the file is the caller's to unlink. */
static const char *convert(const char *checkpoint) {
  static char path[64];
  if (stories_shared(checkpoint) == NULL) skip();
  snprintf(path, sizeof path, "/tmp/check_generate.%d.gguf", (int)getpid());
  assert_int_equal(stories_convert(checkpoint, path), 0);
  return path;
}

static int collect(void *arg, const char *text, size_t size, tern_error *e) {
  (void)e;
  written *w = arg;
  assert_true(w->size + size < sizeof w->text);
  memcpy(w->text + w->size, text, size);
  w->size += size;
  w->text[w->size] = 0;
  if (w->interrupt) raise(SIGINT);
  w->interrupt = false;
  return TERN_OK;
}

static int generate(const char *path, const setup *s, written *w, tern_generation *g, tern_error *e) {
  tern_gguf *file = NULL;
  tern_tokenizer *t = NULL;
  tern_team *team = NULL;
  tern_model *m = NULL;
  tern_session *session = NULL;
  int32_t *ids, prompt[256];
  size_t n = 0;
  const tern_model_params params = {
      .layout = s->layout, .head_layout = s->head, .exact_head = s->exact, .isa_cap = s->isa};
  const tern_session_params sizes = {.context = s->context, .kv = s->kv};
  if (tern_gguf_open(&file, path, e) || tern_tokenizer_from_gguf(&t, file, e) ||
      tern_team_open(&team, s->threads > 0 ? s->threads : 1, NULL, e) || tern_model_load(&m, file, &params, team, e) ||
      tern_session_open(&session, m, team, &sizes, e))
    fail_msg("%s", e->text);
  prompt[0] = tern_tokenizer_bos(t);
  tern_sampler_params sampling = s->sampling;
  if (sampling.top_p == 0) sampling.top_p = 1;
  if (s->prompt != NULL) {
    assert_int_equal(tern_tokenizer_encode(t, s->prompt, strlen(s->prompt), true, &ids, &n, e), TERN_OK);
    assert_true(n < 255);
    memcpy(prompt + 1, ids, n * sizeof *ids);
    free(ids);
  }
  const tern_answer_params answer = {.sampling = sampling, .count = s->tokens, .put = collect, .arg = w};
  int status = tern_generate(session, t, &answer, prompt, (int)n + 1, g, e);
  tern_session_close(session);
  tern_model_close(m);
  tern_team_close(team);
  tern_tokenizer_close(t);
  tern_gguf_close(file);
  return status;
}

static written text_of(const char *path, const setup *s) {
  written w = {0};
  tern_generation g;
  tern_error e = {0};
  if (generate(path, s, &w, &g, &e) != TERN_OK) fail_msg("%s", e.text);
  return w;
}

static void expect_start(const char *path, const setup *s, const char *want) {
  written w = text_of(path, s);
  if (strncmp(w.text, want, strlen(want)) != 0) fail_msg("generated: %s", w.text);
}

static void dense_model_tells_its_documented_story(void **state) {
  (void)state;
  const char *path = convert("models/stories260K.bin");
  const setup setups[] = {
      {.tokens = 128, .isa = TERN_ISA_COUNT, .head = "f32"},
      {.tokens = 128, .isa = TERN_ISA_COUNT, .threads = 2},
      {.tokens = 128, .isa = TERN_ISA_SCALAR, .head = "f32", .exact = true},
      {.tokens = 128, .isa = TERN_ISA_COUNT, .layout = "f16"},
  };
  for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) expect_start(path, &setups[i], stories_text);
  unlink(path);
}

static void ternary_model_tells_its_documented_story(void **state) {
  (void)state;
  const char *path = convert("models/bitllama2c_3M.bin");
  const setup setups[] = {
      {.tokens = 180, .isa = TERN_ISA_COUNT, .layout = "t2"},
      {.tokens = 180, .isa = TERN_ISA_COUNT, .layout = "t2", .threads = 2},
      {.tokens = 180, .isa = TERN_ISA_SCALAR, .layout = "t2", .exact = true},
      {.tokens = 180, .isa = TERN_ISA_COUNT, .layout = "t5"},
      {.tokens = 180, .isa = TERN_ISA_COUNT, .layout = "f32", .head = "f32"},
  };
  for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) expect_start(path, &setups[i], ternary_text);
  unlink(path);
}

static void a_seed_gives_one_text_on_every_level_and_team(void **state) {
  (void)state;
  const char *path = convert("models/bitllama2c_3M.bin");
  setup s = {.tokens = 60,
             .isa = TERN_ISA_COUNT,
             .prompt = "The dog",
             .sampling = {.temperature = 0.9f, .top_k = 40, .top_p = 0.95f, .seed = 5}};
  written first = text_of(path, &s);
  for (int isa = 0; isa < TERN_ISA_COUNT; isa++) {
    if (!tern_isa_usable((tern_isa)isa)) continue;
    s.isa = (tern_isa)isa;
    s.threads = 1 + isa % 2;
    written again = text_of(path, &s);
    assert_string_equal(first.text, again.text);
  }
  s.sampling.seed = 6;
  written other = text_of(path, &s);
  assert_string_not_equal(first.text, other.text);
  unlink(path);
}

static void generation_stops_where_it_must(void **state) {
  (void)state;
  const char *path = convert("models/stories260K.bin");
  setup s = {.tokens = 20, .isa = TERN_ISA_COUNT};
  tern_generation g;
  tern_error e = {0};
  written w = {0};
  assert_int_equal(generate(path, &s, &w, &g, &e), TERN_OK);
  assert_true(g.stop == TERN_STOP_COUNT && g.generated == 20 && g.decoded == 19);
  s.context = 12;
  w.size = 0;
  assert_int_equal(generate(path, &s, &w, &g, &e), TERN_OK);
  assert_true(g.stop == TERN_STOP_CONTEXT && g.generated == 12 && g.decoded == 11);
  s.context = s.tokens = 500;
  w.size = 0;
  assert_int_equal(generate(path, &s, &w, &g, &e), TERN_OK);
  assert_true(g.stop == TERN_STOP_END && g.generated < 500);
  s.tokens = 0;
  w.size = 0;
  assert_int_equal(generate(path, &s, &w, &g, &e), TERN_OK);
  assert_true(g.generated == 0 && w.size == 0 && g.prefill_s > 0);
  unlink(path);
}

/* Last: the interrupt stays remembered. */
static void an_interrupt_keeps_the_text_so_far(void **state) {
  (void)state;
  const char *path = convert("models/stories260K.bin");
  const setup s = {.tokens = 100, .isa = TERN_ISA_COUNT};
  written w = {.interrupt = true};
  tern_generation g;
  tern_error e = {0};
  tern_interrupt_install();
  assert_int_equal(generate(path, &s, &w, &g, &e), TERN_INTERRUPTED);
  assert_true(g.stop == TERN_STOP_INTERRUPT && g.generated == 1 && w.size > 0);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dense_model_tells_its_documented_story),
      cmocka_unit_test(ternary_model_tells_its_documented_story),
      cmocka_unit_test(a_seed_gives_one_text_on_every_level_and_team),
      cmocka_unit_test(generation_stops_where_it_must),
      cmocka_unit_test(an_interrupt_keeps_the_text_so_far),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
