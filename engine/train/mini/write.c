/* Writes the mini set: what is drawn for record i of a split depends on the
 * seed, the split and i alone, so that a split's bytes don't change when
 * another split does. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "engine/base/progress.h"
#include "engine/train/mini.h"
#include "engine/train/mini/seen.h"
#include "engine/train/mini/splits.h"

enum { TRIES = 100000, VALID = 600, SHARES = 1000, TEST_SEED = 1 };

typedef struct writer {
  mini_world world;
  mini_record record;
  mini_seen seen; /* texts of the tests, none of which comes twice */
  char path[PATH_MAX];
  tern_output *output;
} writer;

static int open_file(writer *w, const char *dir, const char *name, tern_error *e) {
  if ((size_t)snprintf(w->path, sizeof w->path, "%s/%s", dir, name) >= sizeof w->path)
    return tern_fail(e, TERN_FAILED, "%.200s: the path is too long", dir);
  return tern_output_open(&w->output, w->path, e);
}

static int close_file(writer *w, int rc, tern_error *e) {
  tern_output *o = w->output;
  w->output = NULL;
  if (rc == 0) return tern_output_commit(o, e);
  tern_output_abandon(o);
  return rc;
}

/* Draws record `number` of the split; one that is new among tests when `once`. */
static int draw(writer *w, const mini_split *s, uint64_t seed, int number, const mini_aim *aim, bool once,
                tern_error *e) {
  uint64_t split = mini_hash(mini_hash(MINI_HASH, s->task), s->name);
  mini_record *r = &w->record;
  for (uint64_t t = 0; t < TRIES; t++) {
    mini_draw d = {seed, split ^ ((uint64_t)number << 20 | t), 0};
    mini_record_clear(r);
    if (!s->make(&w->world, &d, aim, r) || r->prompt.full || r->completion.full) continue;
    int added = once ? mini_seen_add(&w->seen, r->prompt.data, r->completion.data) : 1;
    if (added > 0) return 0;
    if (added < 0) return tern_fail(e, TERN_FAILED, "%s: out of memory", w->path);
  }
  return tern_fail(e, TERN_FAILED, "%s: %s-%s: no %dth record is found; the world's tables are too small", w->path,
                   s->task, s->name, number + 1);
}

static int put(writer *w, const char *task, const char *split, int number, tern_error *e) {
  int rc = mini_record_write(tern_output_stream(w->output), &w->record, task, split, number);
  return rc ? tern_fail_errno(e, "%s: cannot write", w->path) : 0;
}

/* Records of all training splits in drawn order, as many of each as its share says. */
static int write_mixed(writer *w, const char *dir, const char *name, const char *split, int items, uint64_t seed,
                       const mini_aim *aim, tern_error *e) {
  int rc, n = 0, number[64] = {0};
  tern_progress bar;
  unsigned char *order = malloc((size_t)items + 1);
  if (!order) return tern_fail(e, TERN_FAILED, "%s: out of memory", name);
  for (int k = 0; mini_train_splits[k].task; k++) {
    int64_t share = (int64_t)items * mini_train_splits[k].share / SHARES;
    for (; share > 0 && n < items; share--) order[n++] = (unsigned char)k;
  }
  for (int i = n - 1; i > 0; i--) {
    int j = (int)(tern_random_at(seed, MINI_HASH, (uint64_t)i) % (uint64_t)(i + 1));
    unsigned char keep = order[i];
    order[i] = order[j];
    order[j] = keep;
  }
  if ((rc = open_file(w, dir, name, e))) goto out;
  tern_progress_start(&bar, name, n);
  for (int i = 0; i < n && rc == 0; i++) {
    mini_split s = mini_train_splits[order[i]];
    mini_aim one = *aim;
    s.name = split;
    one.what |= s.what;
    rc = draw(w, &s, seed, number[order[i]], &one, false, e);
    if (rc == 0) rc = put(w, s.task, split, number[order[i]]++, e);
    if (rc == 0) rc = tern_interrupt_check(e);
    tern_progress_update(&bar, i + 1);
  }
  tern_progress_end(&bar);
  rc = close_file(w, rc, e);
out:
  free(order);
  return rc;
}

static int write_test(writer *w, const char *dir, const mini_split *s, const mini_aim *aim, tern_error *e) {
  char name[64];
  snprintf(name, sizeof name, "%s-%s.jsonl", s->task, s->name);
  int rc = open_file(w, dir, name, e);
  if (rc) return rc;
  for (int i = 0; i < s->share && rc == 0; i++) {
    rc = draw(w, s, TEST_SEED, i, aim, true, e);
    if (rc == 0) rc = put(w, s->task, s->name, i, e);
  }
  return close_file(w, rc, e);
}

static int write_tests(writer *w, const char *dir, const tern_mini_options *o, tern_error *e) {
  for (const mini_split *s = mini_test_splits; s->task; s++) {
    mini_aim aim = {MINI_TEST, s->what, o->shot_tokens};
    int rc = write_test(w, dir, s, &aim, e);
    if (rc) return rc;
  }
  return 0;
}

/* "train", "valid" and "test" name the pools. */
static int write_tune(writer *w, const char *dir, const char *tests, bool train, tern_error *e) {
  static const mini_pool pools[] = {MINI_TRAIN, MINI_VALID, MINI_TEST};
  for (int i = 0; mini_tune_splits[i].task; i++) {
    mini_aim aim = {pools[i], 0, 0};
    if (!train && pools[i] != MINI_TEST) continue;
    int rc = write_test(w, pools[i] == MINI_TEST ? tests : dir, &mini_tune_splits[i], &aim, e);
    if (rc) return rc;
  }
  return 0;
}

int tern_mini_write(const char *dir, const tern_mini_options *options, tern_error *e) {
  tern_mini_options o = *options;
  char tests[PATH_MAX];
  int rc;
  if (!o.world) o.world = TERN_SOURCE_DIR "/datasets/mini/world";
  if (!o.shot_tokens) o.shot_tokens = TERN_MINI_SHOT_TOKENS;
  if (o.items < 0 || o.items > 10000000)
    return tern_fail(e, TERN_USAGE, "%d training records: 0 to 10000000 can be had", o.items);
  if (o.shot_tokens < 200 || o.shot_tokens > 4000)
    return tern_fail(e, TERN_USAGE, "few-shot documents of %d tokens: 200 to 4000 can be had", o.shot_tokens);
  if ((size_t)snprintf(tests, sizeof tests, "%s/test", dir) >= sizeof tests)
    return tern_fail(e, TERN_FAILED, "%.200s: the path is too long", dir);
  writer *w = calloc(1, sizeof *w);
  if (!w) return tern_fail(e, TERN_FAILED, "%s: out of memory", dir);
  if ((rc = mini_world_open(&w->world, o.world, e))) goto out;
  if ((rc = tern_directory_make(tests, e))) goto out;
  if ((rc = write_tests(w, tests, &o, e))) goto out;
  if ((rc = write_tune(w, dir, tests, o.items > 0, e))) goto out;
  if (o.items > 0) {
    mini_aim train = {MINI_TRAIN, 0, o.shot_tokens}, valid = {MINI_VALID, MINI_NEW_FACTS, o.shot_tokens};
    if ((rc = write_mixed(w, dir, "valid.jsonl", "valid", VALID, TEST_SEED, &valid, e))) goto out;
    rc = write_mixed(w, dir, "train.jsonl", "train", o.items, o.seed, &train, e);
  }
out:
  mini_world_close(&w->world);
  mini_seen_close(&w->seen);
  free(w);
  return rc;
}
