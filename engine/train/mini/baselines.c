/* Scores that need no model, for every split of the tests: what must be beaten
 * before a score says anything. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/train/mini.h"
#include "engine/train/mini/answers.h"
#include "engine/train/mini/corpus.h"
#include "engine/train/mini/nearest.h"
#include "engine/train/mini/splits.h"

/* What a task's training text gives to guess from. */
typedef struct knowledge {
  const mini_item **item; /* training records of the task, in order */
  size_t items;
  mini_index *prompts, *texts; /* the prompts alone; prompts with completions */
  mini_answers answers;
} knowledge;

/* Fills how well each choice is liked (the most liked is chosen, ties share),
 * or for a task without choices returns the answer guessed. */
typedef const char *guess(const knowledge *k, const mini_item *m, double *liked);

static const char *most_frequent(const knowledge *k, const mini_item *m, double *liked) {
  for (int i = 0; i < m->choices; i++) liked[i] = (double)mini_answers_times(&k->answers, m->choice[i]);
  return k->answers.most;
}

static const char *nearest_prompt(const knowledge *k, const mini_item *m, double *liked) {
  double cosine;
  long best = mini_index_find(k->prompts, m->prompt, "", &cosine);
  const char *answer = best < 0 ? "" : k->item[best]->final;
  for (int i = 0; i < m->choices; i++) liked[i] = strcmp(m->choice[i], answer) == 0;
  return answer;
}

static const char *nearest_text(const knowledge *k, const mini_item *m, double *liked) {
  for (int i = 0; i < m->choices; i++) mini_index_find(k->texts, m->prompt, m->choice[i], &liked[i]);
  return NULL;
}

static const char *longest(const knowledge *k, const mini_item *m, double *liked) {
  (void)k;
  for (int i = 0; i < m->choices; i++) liked[i] = (double)strlen(m->choice[i]);
  return NULL;
}

static const char *shortest(const knowledge *k, const mini_item *m, double *liked) {
  (void)k;
  for (int i = 0; i < m->choices; i++) liked[i] = -(double)strlen(m->choice[i]);
  return NULL;
}

/* Where the choice (without its end mark) stands last in the prompt; 0: nowhere. */
static double place(const mini_item *m, int choice) {
  char bare[MINI_SHORT];
  double at = 0;
  snprintf(bare, sizeof bare, "%s", m->choice[choice]);
  bare[strcspn(bare, ".")] = '\0';
  for (const char *p = m->prompt; *bare && (p = strstr(p, bare)); p++) at = (double)(p - m->prompt) + 1;
  return at;
}

static const char *last_named(const knowledge *k, const mini_item *m, double *liked) {
  (void)k;
  for (int i = 0; i < m->choices; i++) liked[i] = place(m, i);
  return NULL;
}

static const char *first_named(const knowledge *k, const mini_item *m, double *liked) {
  (void)k;
  for (int i = 0; i < m->choices; i++) liked[i] = place(m, i) > 0 ? -place(m, i) : -1e9;
  return NULL;
}

static const struct {
  const char *name;
  guess *make;
  bool open; /* also for tasks without choices */
} columns[] = {{"most frequent", most_frequent, true}, {"nearest prompt", nearest_prompt, true},
               {"nearest text", nearest_text, false},  {"longest", longest, false},
               {"shortest", shortest, false},          {"last named", last_named, false},
               {"first named", first_named, false}};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* The share of the right choice among those most liked. */
static double choose(const mini_item *m, const double *liked) {
  int best = 0, equal = 0;
  for (int i = 1; i < m->choices; i++)
    if (liked[i] > liked[best]) best = i;
  for (int i = 0; i < m->choices; i++) equal += liked[i] >= liked[best];
  return liked[m->answer] >= liked[best] ? 1.0 / equal : 0;
}

static void score(const knowledge *k, const mini_item *m, double *sums) {
  for (int c = 0; c < COLUMNS; c++) {
    double liked[MINI_CHOICES] = {0};
    if (!m->choices && !columns[c].open) continue;
    const char *answer = columns[c].make(k, m, liked);
    sums[c] += m->choices ? choose(m, liked) : strcmp(answer, m->final) == 0;
  }
}

static void close_knowledge(knowledge *k) {
  mini_index_close(k->prompts);
  mini_index_close(k->texts);
  mini_answers_close(&k->answers);
  free(k->item);
  *k = (knowledge){0};
}

static int learn(knowledge *k, const mini_corpus *train, const char *task, tern_error *e) {
  const char **answers = calloc(train->count + 1, sizeof *answers);
  int rc = 0;
  *k = (knowledge){.item = calloc(train->count + 1, sizeof *k->item)};
  if (!k->item || !answers) {
    rc = tern_fail(e, TERN_FAILED, "baselines: out of memory");
    goto out;
  }
  if ((rc = mini_index_open(&k->prompts, e)) || (rc = mini_index_open(&k->texts, e))) goto out;
  for (size_t i = 0; i < train->count && rc == 0; i++) {
    const mini_item *m = &train->item[i];
    if (strcmp(m->task, task) != 0) continue;
    answers[k->items] = m->final;
    k->item[k->items++] = m;
    rc = mini_index_add(k->prompts, m->prompt, "", e);
    if (rc == 0) rc = mini_index_add(k->texts, m->prompt, m->completion, e);
  }
  if (rc || (rc = mini_index_finish(k->prompts, e)) || (rc = mini_index_finish(k->texts, e))) goto out;
  rc = mini_answers_count(&k->answers, answers, k->items, e);
out:
  free(answers);
  if (rc) close_knowledge(k);
  return rc;
}

static void print_row(FILE *to, const char *split, const char *kind, int n, bool choices, const double *sums) {
  fprintf(to, "%s,%s,%d", split, kind, n);
  for (int c = 0; c < COLUMNS; c++) {
    fputc(',', to);
    if (choices || columns[c].open) fprintf(to, "%.1f", 100 * sums[c] / n);
  }
  fputc('\n', to);
}

/* The whole split's row, then one for each kind. */
static void report(FILE *to, const char *split, const mini_corpus *test, double (*scored)[COLUMNS]) {
  for (size_t first = 0; first <= test->count; first++) {
    const char *kind = first ? test->item[first - 1].kind : "all";
    double sums[COLUMNS] = {0};
    int n = 0;
    bool told = false;
    for (size_t j = 0; first && j + 1 < first; j++) told |= strcmp(test->item[j].kind, kind) == 0;
    for (size_t i = 0; i < test->count && !told; i++) {
      if (first && strcmp(test->item[i].kind, kind) != 0) continue;
      n++;
      for (int c = 0; c < COLUMNS; c++) sums[c] += scored[i][c];
    }
    if (n && (!first || (size_t)n < test->count)) print_row(to, split, kind, n, test->item[0].choices > 0, sums);
  }
}

static int measure(const char *dir, const mini_split *s, const knowledge *k, FILE *to, tern_error *e) {
  char path[PATH_MAX], name[64];
  mini_corpus test;
  snprintf(name, sizeof name, "%s-%s", s->task, s->name);
  if ((size_t)snprintf(path, sizeof path, "%s/test/%s.jsonl", dir, name) >= sizeof path)
    return tern_fail(e, TERN_FAILED, "%.200s: the path is too long", dir);
  int rc = mini_corpus_open(&test, path, e);
  if (rc) return rc;
  double(*scored)[COLUMNS] = calloc(test.count + 1, sizeof *scored);
  if (!scored) {
    rc = tern_fail(e, TERN_FAILED, "baselines: out of memory");
  } else {
    for (size_t i = 0; i < test.count; i++) score(k, &test.item[i], scored[i]);
    report(to, name, &test, scored);
  }
  free(scored);
  mini_corpus_close(&test);
  return rc;
}

int tern_mini_baselines(const char *dir, FILE *to, tern_error *e) {
  char path[PATH_MAX];
  mini_corpus train;
  knowledge k = {0};
  const char *known = "";
  if ((size_t)snprintf(path, sizeof path, "%s/train.jsonl", dir) >= sizeof path)
    return tern_fail(e, TERN_FAILED, "%.200s: the path is too long", dir);
  int rc = mini_corpus_open(&train, path, e);
  if (rc) return rc;
  fputs("split,kind,records", to);
  for (int c = 0; c < COLUMNS; c++) fprintf(to, ",%s", columns[c].name);
  fputc('\n', to);
  for (const mini_split *s = mini_test_splits; s->task && rc == 0; s++) {
    if (strcmp(s->task, "story") == 0) continue; /* nothing to answer */
    if (strcmp(s->task, known) != 0) {
      close_knowledge(&k);
      rc = learn(&k, &train, s->task, e);
    }
    known = s->task;
    if (rc == 0) rc = measure(dir, s, &k, to, e);
  }
  close_knowledge(&k);
  mini_corpus_close(&train);
  return rc;
}
