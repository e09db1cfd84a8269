/* Word problems in GSM8K's form: a chain of sentences, an answer worked step by
 * step, "#### 42". Held out are number tuples and compositions by their hash,
 * phrasings by the table. */
#include <string.h>

#include "engine/train/mini/problem.h"
#include "engine/train/mini/record.h"

enum { LEAST_STEPS = 2, PEOPLE = 8 };
static const char *const kinds[] = {"", "", "2 steps", "3 steps", "4 steps"};

/* Composition and tuple as text; true when both are of the pools wanted. */
static bool keyed(const mini_problem *p, const mini_aim *aim, mini_record *r) {
  size_t names = 0, numbers = 0;
  for (int i = 0; i < p->parts; i++) {
    const mini_part *t = &p->part[i];
    names +=
        (size_t)snprintf(r->composition + names, MINI_SHORT - names, "%s%s", i ? " " : "", mini_forms[t->form].name);
    if (t->n) numbers += (size_t)snprintf(r->tuple + numbers, MINI_SHORT - numbers, "%s%d", numbers ? " " : "", t->n);
    if (t->k) numbers += (size_t)snprintf(r->tuple + numbers, MINI_SHORT - numbers, "%s%d", numbers ? " " : "", t->k);
  }
  mini_pool composition = aim->what & MINI_NEW_COMPOSITION ? aim->pool : MINI_TRAIN;
  return mini_pool_of(mini_hash(MINI_HASH, r->composition)) == composition &&
         mini_pool_of(mini_hash(MINI_HASH + 1, r->tuple)) == aim->pool;
}

static bool tell(const mini_world *w, mini_draw *d, const mini_aim *aim, const mini_problem *p, mini_record *r) {
  int people[PEOPLE], met = 1;
  int thing = mini_below(d, w->things.rows), holder = mini_below(d, w->holders.rows);
  mini_pick(d, people, PEOPLE, w->names.rows);
  mini_slots s = {0};
  s.of['o'] = w->things.row[thing].field[0];
  s.of['s'] = w->things.row[thing].field[1];
  s.of['b'] = w->holders.row[holder].field[0];
  s.of['c'] = w->holders.row[holder].field[1];
  s.of['P'] = w->names.row[people[0]].field[0];
  const char *before = s.of['P'];
  mini_text_add(&r->prompt, "Question:");
  for (int i = 0; i < p->parts; i++) {
    const mini_part *t = &p->part[i];
    const mini_form *f = &mini_forms[t->form];
    bool back = strcmp(f->name, "both") == 0;
    s.of['Q'] = back ? before : w->names.row[people[met++]].field[0];
    mini_slot_number(&s, 'n', t->n);
    mini_slot_number(&s, 'k', t->k);
    mini_text_add(&r->prompt, " ");
    const char *sentence = mini_phrase(&w->word, f->name, (aim->what & MINI_NEW_PHRASES) != 0, d);
    if (!mini_text_fill(&r->prompt, sentence, &s)) return false;
    if (f->place == MINI_SHIFT) {
      before = s.of['P'];
      s.of['P'] = s.of['Q'];
    }
  }
  mini_text_add(&r->prompt, "\nAnswer:");
  return true;
}

static void work(const mini_problem *p, mini_record *r) {
  for (int i = 0; i < p->steps; i++) {
    const mini_step *s = &p->step[i];
    mini_text_print(&r->completion, "%s<<%d%c%d=%d>>%d", i ? "\n" : " ", s->a, s->op, s->b, s->result, s->result);
  }
  mini_text_print(&r->completion, "\n#### %d", p->value);
}

bool mini_make_word(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  mini_problem p = {0};
  int steps = mini_range(d, LEAST_STEPS, MINI_STEPS);
  mini_problem_compose(&p, steps, d);
  if (!mini_problem_count(&p, d) || !keyed(&p, aim, r)) return false;
  r->kind = kinds[p.steps];
  work(&p, r);
  return tell(w, d, aim, &p, r);
}
