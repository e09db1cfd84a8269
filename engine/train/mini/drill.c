/* Arithmetic drills, "45+37=": results of one, two and three digits equally
 * often in each operation. The pairs of tests never occur in training drills,
 * sums and products in neither order. */
#include "engine/train/mini/problem.h"
#include "engine/train/mini/record.h"

enum { FACTOR = 20 };
static const struct {
  char op;
  const char *kind;
} kinds[] = {{'+', "sum"}, {'-', "difference"}, {'*', "product"}, {'/', "quotient"}};
static const int least[] = {1, 10, 100}, most[] = {9, 99, MINI_LARGEST};

/* a op b with the result wanted, where there is such a pair. */
static bool pair(mini_step *s, char op, int result, mini_draw *d) {
  int b = mini_number(d, 1, op == '*' || op == '/' ? FACTOR : MINI_LARGEST);
  if (op == '*') {
    bool fits = result % b == 0;
    return fits && (mini_chance(d, 1, 2) ? mini_step_take(s, result / b, op, b) : mini_step_take(s, b, op, result / b));
  }
  if (op == '+' && mini_chance(d, 1, 2)) return mini_step_take(s, b, op, result - b);
  return mini_step_take(s, op == '+' ? result - b : op == '-' ? result + b : result * b, op, b);
}

bool mini_make_drill(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  (void)w;
  mini_step s;
  int k = mini_below(d, 4), digits = mini_below(d, kinds[k].op == '/' ? 2 : 3);
  for (int t = 0; !pair(&s, kinds[k].op, mini_range(d, least[digits], most[digits]), d); t++)
    if (t == 1000) return false;
  mini_text_print(&r->prompt, "%d%c%d=", s.a, s.op, s.b);
  mini_text_print(&r->completion, "%d", s.result);
  r->kind = kinds[k].kind;
  bool turned = (s.op == '+' || s.op == '*') && s.a > s.b;
  uint64_t key = (uint64_t)s.op << 32 | (uint64_t)(turned ? s.b : s.a) << 16 | (uint64_t)(turned ? s.a : s.b);
  return mini_pool_of(key) == aim->pool;
}
