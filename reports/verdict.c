/* The rules of verdict.h. */
#include "reports/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const texts[TERN_VERDICTS] = {
    [TERN_VERDICT_REPRODUCED] = "reproduced",
    [TERN_VERDICT_NOT_REPRODUCED] = "not reproduced",
    [TERN_VERDICT_INSIDE] = "ours: inside the published range",
    [TERN_VERDICT_BELOW] = "ours: below the published range",
    [TERN_VERDICT_ABOVE] = "ours: above the published range",
    [TERN_VERDICT_PARTLY] = "ours: partly inside the published range",
    [TERN_VERDICT_RECOMPUTED] = "recomputed from the shapes",
    [TERN_VERDICT_NOT_RECOMPUTED] = "does not follow from the shapes",
    [TERN_VERDICT_NONE] = "no verdict",
    [TERN_VERDICT_NOT_TESTABLE] = "not testable here",
};

static const tern_verdict by_place[] = {
    [TERN_BELOW] = TERN_VERDICT_BELOW,
    [TERN_INSIDE] = TERN_VERDICT_INSIDE,
    [TERN_ABOVE] = TERN_VERDICT_ABOVE,
    [TERN_PARTLY] = TERN_VERDICT_PARTLY,
};

/* Half a unit of the last printed digit; for the comparison's own rounding a
 * hair more. */
static double half_digit(const char *text) {
  const char *point = strchr(text, '.');
  size_t decimals = point ? strlen(point + 1) : 0;
  return 0.5 * pow(10, -(double)decimals) * (1 + 1e-9);
}

tern_range tern_range_parse(const char *low, const char *high) {
  tern_range r = {
      .has_low = *low != '\0', .has_high = *high != '\0', .low = -INFINITY, .high = INFINITY, .least_high = INFINITY};
  if (r.has_low) r.low = strtod(low, NULL) - half_digit(low);
  if (r.has_high) {
    r.high = strtod(high, NULL) + half_digit(high);
    r.least_high = strtod(high, NULL) - half_digit(high);
  }
  return r;
}

tern_place tern_range_place(const tern_range *range, double median_low, double median_high) {
  if (median_high < range->low) return TERN_BELOW;
  if (median_low > range->high) return TERN_ABOVE;
  return median_low >= range->low && median_high <= range->high ? TERN_INSIDE : TERN_PARTLY;
}

bool tern_range_crossed(const tern_range *range, const tern_figure *f) {
  if (!f->present || !isfinite(f->low) || !isfinite(f->high)) return false;
  return tern_range_place(range, f->low, f->high) != tern_range_place(range, f->median_low, f->median_high);
}

static bool enough(const tern_figure *f) {
  return f->exact || (f->n >= TERN_ENOUGH && isfinite(f->low) && isfinite(f->high));
}

/* Whether the peers' interval meets the range; a lone maximum must be reached. */
static bool meets(const tern_range *range, const tern_figure *f) {
  double low = f->exact ? f->median_low : f->low, high = f->exact ? f->median_high : f->high;
  if (range->has_low) return high >= range->low && low <= range->high;
  return high >= range->least_high;
}

tern_verdict tern_verdict_decide(const tern_range *range, const tern_figure *ours, const tern_figure *peers,
                                 const char *unmet, bool modelled) {
  if (unmet) return TERN_VERDICT_NOT_TESTABLE;
  if (peers->present && enough(peers))
    return meets(range, peers) ? TERN_VERDICT_REPRODUCED : TERN_VERDICT_NOT_REPRODUCED;
  if (ours->present && enough(ours)) {
    tern_place place = tern_range_place(range, ours->median_low, ours->median_high);
    if (modelled) return place == TERN_INSIDE ? TERN_VERDICT_RECOMPUTED : TERN_VERDICT_NOT_RECOMPUTED;
    return by_place[place];
  }
  return ours->present || peers->present ? TERN_VERDICT_NONE : TERN_VERDICT_NOT_TESTABLE;
}

const char *tern_verdict_text(tern_verdict v) {
  return texts[v];
}

const char *tern_verdict_ours(const tern_range *range, const tern_figure *ours) {
  if (!ours->present || !enough(ours)) return "";
  return texts[by_place[tern_range_place(range, ours->median_low, ours->median_high)]] + strlen("ours: ");
}
