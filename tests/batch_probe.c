/* Random schedules of several sequences in one workspace against each sequence
 * alone, bit for bit: items of any length joined in chunks of any size, rewinds
 * and forks between them, every KV type, team size and head. Needs no test
 * library, so that it also runs cross compiled under an emulator. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/random.h"
#include "engine/model/model.h"
#include "tests/reference_file.h"

enum { SEQUENCES = 5, LENGTH = 26, SHARED = 11, STEPS = 24, MOST_VOCAB = 128 };

static const struct {
  tiny_shape shape;
  const char *body, *head;
  bool exact;
} cases[] = {
    {{"bitnet-b1.58", 2, 64, 96, 4, 2, 97, 64, "I2_S", "F16", false, 0, 0}, "t2", "f16", true},
    {{"bitllama2c", 2, 64, 64, 8, 4, 64, 64, "I2_S", "F32", false, 0, 0}, "t5", "f32", false},
    {{"llama", 2, 36, 44, 6, 3, 67, 64, "F32", "F32", true, 0, 0}, "f32", "f32", true},
    {{"llama", 1, 68, 96, 2, 2, 65, 64, "F16", "F16", false, 0, 0}, "q8", "q8", false},
};

static uint64_t seed = 1, draws;
static int compared, failures;

/* 0..most */
static int random_to(int most) {
  return (int)(tern_random_at(seed, 7, draws++) % (uint64_t)(most + 1));
}

static void check(int rc, const tern_error *e) {
  if (!rc) return;
  fprintf(stderr, "batch_probe: %s\n", e->text);
  exit(1);
}

static void expect(bool right, const char *what, int sequence, int position) {
  compared++;
  if (right) return;
  failures++;
  printf("DIFFERS %s: sequence %d, position %d (seed %" PRIu64 ")\n", what, sequence, position, seed);
}

/* What each position of each text gives alone. */
typedef struct alone {
  int32_t ids[SEQUENCES][LENGTH];
  float logits[SEQUENCES][LENGTH][MOST_VOCAB];
  tern_score scores[SEQUENCES][LENGTH];
} alone;

static int32_t target_of(const alone *a, int sequence, int position) {
  return position % 5 == 4 ? -1 : a->ids[sequence][(position + 1) % LENGTH];
}

static void evaluate_alone(alone *a, const tern_model *m, tern_team *team, tern_kv_type kv) {
  int vocab = tern_model_describe(m)->vocab;
  for (int i = 0; i < SEQUENCES; i++) {
    for (int t = 0; t < LENGTH; t++) a->ids[i][t] = t < SHARED && i ? a->ids[0][t] : random_to(vocab - 1);
    tern_session *s;
    tern_error e = {0};
    check(tern_session_open(&s, m, team, &(tern_session_params){.context = LENGTH, .kv = kv}, &e), &e);
    for (int t = 0; t < LENGTH; t++)
      check(tern_session_eval(s, &a->ids[i][t], 1, TERN_WANT_LAST, a->logits[i][t], &e), &e);
    for (int t = 0; t < LENGTH; t++) {
      const float *x = a->logits[i][t];
      int32_t target = target_of(a, i, t);
      double sum = 0;
      tern_score *score = &a->scores[i][t];
      *score = (tern_score){0};
      for (int k = 1; k < vocab; k++) score->best = x[k] > x[score->best] ? k : score->best;
      for (int k = 0; k < vocab; k++) sum += exp((double)x[k] - (double)x[score->best]);
      if (target < 0) continue;
      score->logprob = (double)x[target] - (double)x[score->best] - log(sum);
      score->best_logprob = -log(sum);
    }
    tern_session_close(s);
  }
}

/* Before a step some sequences go back, or start from another's beginning. */
static void move(tern_session **s) {
  tern_error e = {0};
  int i = random_to(SEQUENCES - 1), j = random_to(SEQUENCES - 1);
  if (random_to(3) == 0) tern_session_rewind(s[i], random_to(LENGTH));
  if (i == j || random_to(3)) return;
  int most = tern_session_position(s[j]) < SHARED ? tern_session_position(s[j]) : SHARED;
  check(tern_session_fork(s[i], s[j], random_to(most), &e), &e);
}

static int32_t targets[SEQUENCES][LENGTH];
static tern_score scores[SEQUENCES][LENGTH];
static float logits[SEQUENCES][LENGTH * MOST_VOCAB];
static const tern_top top = {.k = 3, .floor = INFINITY};

static tern_item make_item(const alone *a, tern_session *s, int i) {
  int at = tern_session_position(s), left = LENGTH - at, n = 1 + random_to(random_to(2) ? 0 : left - 1);
  tern_item item = {.session = s, .ids = a->ids[i] + at, .n = n, .wanted = random_to(1) ? 1 : random_to(n)};
  if (random_to(1)) item.logits = logits[i];
  if (item.wanted == 1 && item.logits && random_to(2) == 0) item.top = &top;
  if (!item.top && random_to(1)) {
    item.scores = scores[i];
    item.targets = targets[i];
    for (int k = 0; k < item.wanted; k++) targets[i][k] = target_of(a, i, at + n - item.wanted + k);
  }
  return item;
}

static void verify(const alone *a, const tern_item *item, int i, int vocab) {
  int end = tern_session_position(item->session);
  expect(memcmp(tern_session_ids(item->session), a->ids[i], (size_t)end * sizeof(int32_t)) == 0, "ids", i, end);
  for (int k = 0; k < item->wanted; k++) {
    int at = end - item->wanted + k;
    const float *want = a->logits[i][at], *got = logits[i] + (size_t)k * (size_t)vocab;
    const tern_score *score = &a->scores[i][at];
    bool same = true;
    for (int v = 0; item->logits && v < vocab; v++)
      same &= memcmp(&got[v], &want[v], sizeof *got) == 0 || (item->top && isinf(got[v]) && v != score->best);
    expect(same, "logits", i, at);
    if (item->scores) {
      expect(item->scores[k].best == score->best, "greatest logit", i, at);
      expect(fabs(item->scores[k].logprob - score->logprob) < 1e-5, "log-probability", i, at);
      expect(fabs(item->scores[k].best_logprob - score->best_logprob) < 1e-5, "greatest log-probability", i, at);
    }
    if (k == item->wanted - 1) expect(item->next == score->best, "greedy choice", i, at);
  }
}

static void schedule(const alone *a, const tern_model *m, tern_team *team, tern_kv_type kv) {
  static const int batches[] = {1, 3, 7, 16, 64};
  tern_workspace *w;
  tern_session *s[SEQUENCES];
  tern_error e = {0};
  tern_workspace_params sizes = {.batch = batches[random_to(4)], .context = LENGTH + 3, .rows = 1 + random_to(4)};
  int vocab = tern_model_describe(m)->vocab;
  check(tern_workspace_open(&w, m, team, &sizes, &e), &e);
  for (int i = 0; i < SEQUENCES; i++)
    check(tern_session_join(&s[i], w, &(tern_session_params){.context = LENGTH + i % 3, .kv = kv}, &e), &e);
  for (int step = 0; step < STEPS; step++) {
    tern_item items[SEQUENCES];
    int owner[SEQUENCES], count = 0;
    move(s);
    for (int k = 0, first = random_to(SEQUENCES - 1); k < SEQUENCES; k++) {
      int i = (first + k) % SEQUENCES;
      if (random_to(3) == 0) continue;
      if (tern_session_position(s[i]) == LENGTH) tern_session_rewind(s[i], random_to(LENGTH - 1));
      owner[count] = i;
      items[count++] = make_item(a, s[i], i);
    }
    check(tern_batch_eval(w, items, count, &e), &e);
    for (int k = 0; k < count; k++) verify(a, &items[k], owner[k], vocab);
  }
  for (int i = 0; i < SEQUENCES; i++) tern_session_close(s[i]);
  tern_workspace_close(w);
}

static void refusals(const tern_model *m, tern_team *team) {
  tern_workspace *w;
  tern_session *s[2], *wide;
  tern_error e = {0};
  const int32_t ids[] = {1, 2, 3, 4, 5}, bad[] = {1, MOST_VOCAB};
  check(tern_workspace_open(&w, m, team, &(tern_workspace_params){.batch = 4, .context = 8}, &e), &e);
  for (int i = 0; i < 2; i++) check(tern_session_join(&s[i], w, &(tern_session_params){.context = 8}, &e), &e);
  expect(tern_session_join(&wide, w, &(tern_session_params){.context = 9}, &e) == TERN_FAILED && !wide, "join", 0, 9);
  tern_item twice[] = {{.session = s[0], .ids = ids, .n = 2}, {.session = s[0], .ids = ids, .n = 2}};
  tern_item other[] = {{.session = s[0], .ids = ids, .n = 5}, {.session = s[1], .ids = bad, .n = 2}};
  expect(tern_batch_eval(w, twice, 2, &e) == TERN_FAILED && strstr(e.text, "twice"), "the same session twice", 0, 0);
  expect(tern_batch_eval(w, other, 2, &e) == TERN_FAILED && strstr(e.text, "vocabulary"), "a bad id", 1, 0);
  other[1].ids = ids;
  check(tern_batch_eval(w, other, 2, &e), &e);
  expect(tern_session_position(s[0]) == 5 && tern_session_position(s[1]) == 2, "positions", 0, 5);
  expect(tern_batch_eval(w, other, 2, &e) == TERN_FAILED && strstr(e.text, "context full"), "a full context", 0, 5);
  expect(tern_session_position(s[0]) == 5, "position after a refusal", 0, 5);
  expect(tern_session_reuse(s[0], ids, 5) == 4 && tern_session_position(s[0]) == 4, "reuse leaves one to feed", 0, 4);
  expect(tern_session_reuse(s[0], (const int32_t[]){1, 2, 9, 4}, 4) == 2, "reuse of what is common", 0, 2);
  expect(tern_session_fork(s[1], s[0], 3, &e) == TERN_FAILED, "fork of positions that are not there", 1, 3);
  tern_session_close(s[0]);
  tern_session_close(s[1]);
  tern_workspace_close(w);
}

static void run_case(size_t c, alone *a) {
  char path[64];
  tern_gguf *g;
  tern_error e = {0};
  tiny_write(path, &cases[c].shape, NULL, NULL, 500 + c);
  check(tern_gguf_open(&g, path, &e), &e);
  unlink(path);
  for (int threads = 1; threads <= 4; threads++) {
    tern_model_params p = {
        .layout = cases[c].body, .head_layout = cases[c].head, .exact_head = cases[c].exact, .isa_cap = TERN_ISA_COUNT};
    tern_team *team;
    tern_model *m;
    check(tern_team_open(&team, threads, NULL, &e), &e);
    check(tern_model_load(&m, g, &p, team, &e), &e);
    for (int kv = TERN_KV_F32; kv <= TERN_KV_INT8; kv++) {
      evaluate_alone(a, m, team, (tern_kv_type)kv);
      schedule(a, m, team, (tern_kv_type)kv);
      schedule(a, m, team, (tern_kv_type)kv);
    }
    refusals(m, team);
    tern_model_close(m);
    tern_team_close(team);
  }
  tern_gguf_close(g);
}

int main(int argc, char **argv) {
  if (argc > 1) seed = strtoull(argv[1], NULL, 10);
  alone *a = malloc(sizeof *a);
  if (!a) return 1;
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) run_case(c, a);
  free(a);
  fprintf(stderr, "%d results equal the sequence alone, %d differ\n", compared - failures, failures);
  return failures != 0;
}
