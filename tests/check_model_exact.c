/* The exact head gives the argmax of the full head, whatever the weights: ties,
 * rows an int8 copy cannot tell apart, errors along the input, huge and tiny
 * values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/random.h"
#include "engine/model/model.h"
#include "tests/reference_file.h"

enum { VOCAB = 4099, HIDDEN = 64, STEPS = 60, WINNER = 2000, RIVAL = 100 };

static float noise(int row, int col) {
  return (float)(tern_random_unit(tern_random_at(77, (uint64_t)row, (uint64_t)col)) - 0.5);
}

static void as_it_is(float *w, int vocab, int hidden) {
  (void)w, (void)vocab, (void)hidden;
}

static void all_rows_equal(float *w, int vocab, int hidden) {
  for (int r = 1; r < vocab; r++) memcpy(w + r * hidden, w, (size_t)hidden * sizeof *w);
}

/* Every row 41 times: the greatest is always a tie. */
static void many_copies(float *w, int vocab, int hidden) {
  for (int r = 100; r < vocab; r++) memcpy(w + r * hidden, w + r % 100 * hidden, (size_t)hidden * sizeof *w);
}

/* One dominant weight, the same in all rows: the copy rounds the rest away. */
static void one_dominant_weight(float *w, int vocab, int hidden) {
  for (int r = 0; r < vocab; r++) w[r * hidden + 5] = 100;
}

/* Rows that differ in one weight by less than half a step of the copy. */
static void below_the_copys_step(float *w, int vocab, int hidden) {
  all_rows_equal(w, vocab, hidden);
  for (int r = 0; r < vocab; r++) w[r * hidden + r % hidden] *= 1 + 0.004f * noise(r, 0);
}

/* Rows equal but for the order of two weights: equal norms, equal bounds. */
static void swapped_pairs(float *w, int vocab, int hidden) {
  all_rows_equal(w, vocab, hidden);
  for (int r = 0; r < vocab; r++) {
    int a = r % hidden, b = r / hidden % hidden;
    float old = w[r * hidden + a];
    w[r * hidden + a] = w[r * hidden + b];
    w[r * hidden + b] = old;
  }
}

static void rows_of_very_different_size(float *w, int vocab, int hidden) {
  for (int r = 0; r < vocab; r++) {
    for (int c = 0; c < hidden; c++) w[r * hidden + c] *= ldexpf(1, r % 28 - 20);
  }
}

static void all_zero(float *w, int vocab, int hidden) {
  memset(w, 0, (size_t)vocab * (size_t)hidden * sizeof *w);
}

static void barely_not_zero(float *w, int vocab, int hidden) {
  for (int i = 0; i < vocab * hidden; i++) w[i] *= 1e-6f; /* f16 subnormals */
}

/* One weight a row, which the copy holds: what is left of the error is the
 * input's. Runs of equal rows, so that a wrong choice is not made good by rows
 * that happen to be computed along with it. */
static void one_weight_a_row(float *w, int vocab, int hidden) {
  memset(w, 0, (size_t)vocab * (size_t)hidden * sizeof *w);
  for (int r = 0; r < vocab; r++) {
    int run = r / 128, c = hidden / 4 + run % (hidden - hidden / 4);
    w[r * hidden + c] = (run / hidden % 2 ? 1 : -1) * (1 + noise(run, 0) / 4);
  }
}

static const struct {
  const char *name;
  tiny_edit edit;
  float gain, faint; /* faint: most inputs so small that their int8 rows lose them */
  int hidden;
  bool few; /* the scan must rule most rows out */
} cases[] = {
    {"as it is", as_it_is, 1, 0, HIDDEN, true},
    {"huge gain", as_it_is, 1e30f, 0, HIDDEN, true},
    {"gain near overflow", as_it_is, 1e37f, 0, HIDDEN, false},
    {"tiny gain", as_it_is, 1e-20f, 0, HIDDEN, false},
    {"all rows equal", all_rows_equal, 1, 0, HIDDEN, false},
    {"many copies", many_copies, 1, 0, HIDDEN, false},
    {"one dominant weight", one_dominant_weight, 1, 0, HIDDEN, false},
    {"below the copy's step", below_the_copys_step, 1, 0, HIDDEN, false},
    {"swapped pairs", swapped_pairs, 1, 0, HIDDEN, false},
    {"rows of very different size", rows_of_very_different_size, 1, 0, HIDDEN, true},
    {"all zero", all_zero, 1, 0, HIDDEN, false},
    {"barely not zero", barely_not_zero, 1, 0, HIDDEN, false},
    {"inputs below the step", one_weight_a_row, 1, 5e-5f, 16, false},
};

static tern_model *load(const tern_gguf *g, tern_team *team, const char *head, bool exact) {
  tern_model *m;
  tern_error e = {0};
  tern_model_params p = {.head_layout = head, .exact_head = exact, .isa_cap = TERN_ISA_COUNT};
  if (tern_model_load(&m, g, &p, team, &e)) fail_msg("%s", e.text);
  return m;
}

static int32_t first_greatest(const float *x) {
  int32_t best = 0;
  for (int32_t i = 1; i < VOCAB; i++) best = x[i] > x[best] ? i : best;
  return best;
}

static int rising(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Every logit that `top` asks for is the full head's, all others it or none. */
static void compare_top(const char *name, tern_session *exact, int32_t id, const tern_top *top, const float *full) {
  static float sorted[VOCAB], some[VOCAB];
  tern_error e = {0};
  tern_session_rewind(exact, tern_session_position(exact) - 1);
  if (tern_session_top(exact, &id, 1, top, some, NULL, &e)) fail_msg("%s: %s", name, e.text);
  memcpy(sorted, full, sizeof sorted);
  qsort(sorted, VOCAB, sizeof *sorted, rising);
  float least = top->k > 0 && top->k < VOCAB ? sorted[VOCAB - top->k] : -INFINITY;
  if (isfinite(top->floor)) least = fmaxf(least, sorted[VOCAB - 1] - top->floor);
  for (int r = 0; r < VOCAB; r++) {
    bool asked = full[r] >= least, there = some[r] == full[r];
    if (!there && (asked || some[r] != -INFINITY))
      fail_msg("%s: top %d, floor %g: row %d is %a, want %a", name, top->k, (double)top->floor, r, (double)some[r],
               (double)full[r]);
  }
}

/* Returns the mean of rows computed in full. */
static double compare(const char *name, const tern_gguf *g, const char *head, int threads) {
  tern_team *team;
  tern_error e = {0};
  tern_session *full, *exact;
  double rows = 0;
  assert_int_equal(tern_team_open(&team, threads, NULL, &e), 0);
  tern_model *plain = load(g, team, head, false), *scanned = load(g, team, head, true);
  assert_int_equal(tern_session_open(&full, plain, team, &(tern_session_params){0}, &e), 0);
  assert_int_equal(tern_session_open(&exact, scanned, team, &(tern_session_params){0}, &e), 0);
  static float logits[VOCAB];
  for (int i = 0; i < STEPS; i++) {
    int32_t id = i * 67 % VOCAB, next;
    int rescored;
    if (tern_session_eval(full, &id, 1, TERN_WANT_LAST, logits, &e)) fail_msg("%s: %s", name, e.text);
    if (tern_session_greedy(exact, &id, 1, &next, &rescored, &e)) fail_msg("%s: %s", name, e.text);
    int32_t want = first_greatest(logits);
    if (next != want) {
      fail_msg("%s, %s head, step %d: id %d (logit %a), want %d (%a)", name, head, i, next, (double)logits[next], want,
               (double)logits[want]);
    }
    rows += rescored;
    static const tern_top tops[] = {{1, INFINITY}, {2, INFINITY}, {5, 2}, {40, INFINITY},  {1024, 3},
                                    {0, 0},        {0, 1.5f},     {0, 8}, {5000, INFINITY}};
    compare_top(name, exact, id, &tops[i % (int)(sizeof tops / sizeof *tops)], logits);
  }
  tern_session_close(full);
  tern_session_close(exact);
  tern_model_close(plain);
  tern_model_close(scanned);
  tern_team_close(team);
  return rows / STEPS;
}

static void exact_head_is_the_argmax_of_the_full_head(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tiny_shape shape = {"bitnet-b1.58", 1, cases[i].hidden, 64, 2, 1, VOCAB, 64, "I2_S", "F32", false, cases[i].gain,
                        cases[i].faint};
    char path[64];
    tern_gguf *g;
    tern_error e = {0};
    tiny_write(path, &shape, NULL, cases[i].edit, 300 + i);
    assert_int_equal(tern_gguf_open(&g, path, &e), 0);
    unlink(path);
    compare(cases[i].name, g, "f32", 3);
    double rows = compare(cases[i].name, g, "f16", 1 + (int)i % 2);
    if (cases[i].few && rows > VOCAB / 4.0) fail_msg("%s: %.0f of %d rows computed", cases[i].name, rows, VOCAB);
    tern_gguf_close(g);
  }
}

/* The winner's row wins, whatever its copy says. */
static void compare_first(const char *head, const tern_gguf *g) {
  tern_team *team;
  tern_error e = {0};
  tern_session *s;
  int32_t id = 0, next;
  assert_int_equal(tern_team_open(&team, 2, NULL, &e), 0);
  tern_model *m = load(g, team, head, true);
  assert_int_equal(tern_session_open(&s, m, team, &(tern_session_params){0}, &e), 0);
  if (tern_session_greedy(s, &id, 1, &next, NULL, &e)) fail_msg("%s", e.text);
  assert_int_equal(next, WINNER);
  tern_session_close(s);
  tern_model_close(m);
  tern_team_close(team);
}

/* What the head multiplies when `id` stands alone. */
static void final_state(const tern_gguf *g, int32_t id, float *x) {
  tern_team *team;
  tern_workspace *w;
  tern_session *s;
  tern_error e = {0};
  assert_int_equal(tern_team_open(&team, 1, NULL, &e), 0);
  tern_model *m = load(g, team, "f32", false);
  assert_int_equal(tern_workspace_open(&w, m, team, &(tern_workspace_params){0}, &e), 0);
  assert_int_equal(tern_session_join(&s, w, &(tern_session_params){0}, &e), 0);
  tern_item item = {.session = s, .ids = &id, .n = 1, .wanted = 1, .states = x};
  if (tern_batch_eval(w, &item, 1, &e)) fail_msg("%s", e.text);
  tern_session_close(s);
  tern_workspace_close(w);
  tern_model_close(m);
  tern_team_close(team);
}

static float input[HIDDEN]; /* what worst_rows is made for; an edit takes no argument */

static int widest(int but) {
  int best = -1;
  for (int i = 0; i < HIDDEN; i++)
    if (i != but && (best < 0 || fabsf(input[i]) > fabsf(input[best]))) best = i;
  return best;
}

/* The winner's error lies along the input, as far as bounds allow for at all:
 * its copy is worth `lost` less than it. The rival's copy is exact and lies
 * nine tenths of the way up, so that bounds a little too tight choose it. */
static void worst_rows(float *w, int vocab, int hidden) {
  const int big = widest(-1);
  const float top = input[big] > 0 ? 127 : -127, most = fabsf(input[widest(big)]);
  float *winner = w + WINNER * hidden, *rival = w + RIVAL * hidden, lost = 0, off = INFINITY;
  memset(w + hidden, 0, (size_t)(vocab - 1) * (size_t)hidden * sizeof *w);
  winner[big] = rival[big] = top; /* steps of 1 in both copies */
  for (int i = 0; i < hidden; i++) {
    if (i != big) winner[i] = 0.49f * input[i] / most;
    if (i != big) lost += winner[i] * input[i];
  }
  int at = 0;
  float step = 0;
  for (int i = 0; i < hidden; i++) {
    float k = roundf(0.9f * lost / input[i]), miss = fabsf(k * input[i] - 0.9f * lost);
    if (i == big || !(fabsf(k) <= 126) || miss >= off) continue;
    off = miss, at = i, step = k;
  }
  assert_true(off < 0.05f * lost);
  rival[at] = step;
}

static void an_error_along_the_input_is_within_the_bounds(void **state) {
  (void)state;
  for (int turn = 0; turn < 8; turn++) {
    tiny_shape shape = {"bitnet-b1.58", 1, HIDDEN, 64, 2, 1, VOCAB, 64, "I2_S", "F32", false, 1, 0};
    char path[64];
    tern_gguf *g;
    tern_error e = {0};
    for (int edited = 0; edited < 2; edited++) {
      tiny_write(path, &shape, NULL, edited ? worst_rows : as_it_is, 900 + (uint64_t)turn);
      assert_int_equal(tern_gguf_open(&g, path, &e), 0);
      unlink(path);
      if (!edited) final_state(g, 0, input);
      if (edited) compare_first(turn % 2 ? "f16" : "f32", g);
      tern_gguf_close(g);
    }
  }
}

static void a_head_that_is_not_float_has_no_exact_form(void **state) {
  (void)state;
  tiny_shape shape = {"bitnet-b1.58", 1, HIDDEN, 64, 2, 1, 65, 64, "I2_S", "F32", false, 1, 0};
  char path[64];
  tern_gguf *g;
  tern_team *team;
  tern_model *m;
  tern_error e = {0};
  tern_model_params p = {.head_layout = "q8", .exact_head = true, .isa_cap = TERN_ISA_COUNT};
  tiny_write(path, &shape, NULL, NULL, 1);
  assert_int_equal(tern_gguf_open(&g, path, &e), 0);
  unlink(path);
  assert_int_equal(tern_team_open(&team, 1, NULL, &e), 0);
  assert_int_equal(tern_model_load(&m, g, &p, team, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "exact head: want a float head layout, not q8"));
  tern_team_close(team);
  tern_gguf_close(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exact_head_is_the_argmax_of_the_full_head),
      cmocka_unit_test(an_error_along_the_input_is_within_the_bounds),
      cmocka_unit_test(a_head_that_is_not_float_has_no_exact_form),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
