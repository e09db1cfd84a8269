/* Questions of the choice world in ARC's form (the choice's text continues the
 * prompt), reversed ones, and ones with lettered choices; plain statements of
 * the same facts for training. Wrong choices are values of the same relation
 * elsewhere and other values of the same subject, so that neither the kind of
 * answer nor the company of the subject decides alone. */
#include <string.h>

#include "engine/train/mini/facts.h"
#include "engine/train/mini/parts.h"
#include "engine/train/mini/record.h"

const char *const mini_choice_parts[] = {"ask", "back", "state", NULL};

static bool has(const char *const *list, int n, const char *text) {
  for (int i = 0; i < n; i++)
    if (strcmp(list[i], text) == 0) return true;
  return false;
}

/* The right value first, then three others. A known fact, asked for in other
 * words, is told from other known facts of its subject; a new one mostly from
 * values that other groups have. */
static void values(const mini_fact *f, mini_draw *d, const char **list) {
  bool known = mini_fact_pool(f) == MINI_TRAIN;
  int alike = mini_range(d, 1, 2) + !known, n = 0;
  list[n++] = mini_fact_value(f);
  while (n < MINI_CHOICES) {
    mini_fact own = *f;
    own.relation = mini_below(d, f->kingdom->relations);
    if (mini_fact_pool(&own) != MINI_TRAIN) continue; /* no held-out fact as a wrong choice */
    const char *text = n <= alike ? mini_fact_other(f, d) : mini_fact_value(&own);
    if (!has(list, n, text)) list[n++] = text;
  }
}

/* The right member first, then members of groups with other values. */
static void members(const mini_fact *f, mini_draw *d, const char **list) {
  int n = 0;
  list[n++] = mini_fact_subject(f);
  while (n < MINI_CHOICES) {
    const mini_group *g = &f->kingdom->group[mini_below(d, f->kingdom->groups)];
    const char *text = g->member[mini_below(d, g->members)];
    if (strcmp(g->value[f->relation], mini_fact_value(f)) != 0 && !has(list, n, text)) list[n++] = text;
  }
}

static void answer(const mini_aim *aim, mini_record *r) {
  if (!(aim->what & MINI_LETTERS)) {
    mini_text_print(&r->completion, " %s", r->choice[r->answer]);
    return;
  }
  for (int i = 0; i < r->choices; i++) {
    mini_text_print(&r->prompt, "\n%c. %s", 'A' + i, r->choice[i]);
    snprintf(r->choice[i], MINI_SHORT, "%c", 'A' + i);
  }
  mini_text_print(&r->completion, " %c", 'A' + r->answer);
}

bool mini_make_choice(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  bool phrases = (aim->what & MINI_NEW_PHRASES) != 0, reversed = (aim->what & MINI_REVERSED) != 0;
  mini_pool pool = aim->what & MINI_NEW_FACTS ? aim->pool : MINI_TRAIN;
  mini_fact f = mini_fact_draw(w, d, pool, aim->pool == MINI_TRAIN && !reversed);
  const char *list[MINI_CHOICES], *relation = mini_fact_relation(&f, phrases, d);
  if (!relation) return false;
  mini_slots s = {.of = {['r'] = relation, ['e'] = mini_fact_subject(&f), ['v'] = mini_fact_value(&f)}};
  (reversed ? members : values)(&f, d, list);
  mini_record_choose(r, d, list, MINI_CHOICES);
  mini_text_add(&r->prompt, "Question: ");
  if (!mini_text_fill(&r->prompt, mini_phrase(&w->choice, reversed ? "back" : "ask", phrases, d), &s)) return false;
  answer(aim, r);
  mini_text_add(&r->prompt, "\nAnswer:");
  r->kind = f.member < 0 ? "rule" : f.relation == 0 ? "sort" : "value";
  return true;
}

/* Three to five facts of one subject, in drawn order. */
bool mini_make_state(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  int order[MINI_RELATIONS], told = 0, most = mini_range(d, 3, 5);
  bool phrases = (aim->what & MINI_NEW_PHRASES) != 0;
  mini_fact f = mini_fact_draw(w, d, MINI_TRAIN, true);
  mini_pick(d, order, f.kingdom->relations, f.kingdom->relations);
  for (int i = 0; i < f.kingdom->relations && told < most; i++) {
    f.relation = order[i];
    if (mini_fact_pool(&f) != MINI_TRAIN || (f.member < 0 && f.relation == 0)) continue;
    mini_slots s = {
        .of = {['r'] = mini_fact_relation(&f, false, d), ['e'] = mini_fact_subject(&f), ['v'] = mini_fact_value(&f)}};
    if (told++) mini_text_add(&r->completion, " ");
    if (!mini_text_fill(&r->completion, mini_phrase(&w->choice, "state", phrases, d), &s)) return false;
  }
  r->kind = "facts";
  return true;
}
