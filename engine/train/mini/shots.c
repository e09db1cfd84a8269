/* Few-shot documents: solved examples of one task from training, then one more
 * to solve. In tests five shots of word problems, the last of them new. */
#include "engine/train/mini/record.h"

enum { TEST_SHOTS = 5, LEAST_TOKENS = 120 };

static const struct {
  const char *name;
  mini_maker *make;
  unsigned what;
} tasks[] = {{"word", mini_make_word, 0},
             {"word", mini_make_word, 0},
             {"word", mini_make_word, 0},
             {"choice", mini_make_choice, 0},
             {"letters", mini_make_choice, MINI_LETTERS},
             {"yesno", mini_make_yesno, 0},
             {"recall", mini_make_recall, 0},
             {"drill", mini_make_drill, 0},
             {"ending", mini_make_ending, 0}};
enum { TASKS = sizeof tasks / sizeof *tasks };

/* About the tokens of a vocabulary that has most words whole and single digits. */
static int tokens_of(const char *text) {
  int tokens = 0, run = 0;
  for (; *text; text++) {
    bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
    run = letter ? run + 1 : 0;
    tokens += letter ? run == 1 || run == 7 : *text != ' ';
  }
  return tokens;
}

static bool example(const mini_world *w, mini_draw *d, int task, mini_pool pool, mini_record *one) {
  mini_aim aim = {.pool = pool, .what = tasks[task].what};
  for (int t = 0; t < 1000; t++) {
    mini_record_clear(one);
    if (tasks[task].make(w, d, &aim, one) && !one->prompt.full && !one->completion.full) return true;
  }
  return false;
}

/* In training what the shots answer is learnt like the last answer: a prompt of
 * a thousand tokens would teach one otherwise. */
static void add_shot(mini_record *r, const mini_record *one, bool learn) {
  mini_text_add(&r->prompt, one->prompt.data);
  if (learn) r->begin[r->answers] = r->prompt.used;
  mini_text_add(&r->prompt, one->completion.data);
  if (learn) r->end[r->answers++] = r->prompt.used;
  mini_text_add(&r->prompt, "\n\n");
}

bool mini_make_shots(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  bool test = aim->pool != MINI_TRAIN;
  mini_record one;
  int task = test ? 0 : mini_below(d, TASKS), most = mini_range(d, LEAST_TOKENS, aim->tokens);
  if (!example(w, d, task, aim->pool, &one)) return false;
  int tokens = tokens_of(one.prompt.data) + tokens_of(one.completion.data);
  mini_record last = one;
  for (int shots = 0;; shots++) {
    if (test && shots == TEST_SHOTS) break;
    if (!example(w, d, task, MINI_TRAIN, &one)) return false;
    tokens += tokens_of(one.prompt.data) + tokens_of(one.completion.data) + 1;
    if (!test && (tokens > most || shots == MINI_ANSWERS)) break;
    add_shot(r, &one, !test);
  }
  mini_text_add(&r->prompt, last.prompt.data);
  mini_text_add(&r->completion, last.completion.data);
  snprintf(r->tuple, sizeof r->tuple, "%s", last.tuple);
  snprintf(r->composition, sizeof r->composition, "%s", last.composition);
  r->kind = tasks[task].name;
  return true;
}
