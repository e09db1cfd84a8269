/* Verdicts by rule: what a measured figure says about a published one. Pure
 * functions; the report prints the rule beside the verdict.
 *
 * - A figure of fewer than five repetitions gets no verdict.
 * - Against our own baseline a figure is inside, below or above the published
 *   range by its median ("partly" when several models disagree).
 * - Only outside engines measured in the same run can make a claim reproduced
 *   (the interval meets the published range) or not reproduced.
 * - Printed figures stand for what rounds to them: 0.4 means 0.35 to 0.45.
 * - An upper figure alone ("up to 6.25") is a maximum: our figures are inside
 *   up to it; peers reproduce it when their interval reaches it. */
#ifndef TERN_REPORTS_VERDICT_H
#define TERN_REPORTS_VERDICT_H

#include <stdbool.h>

enum { TERN_ENOUGH = 5 }; /* repetitions for an interval and a verdict */

typedef struct tern_range {
  bool has_low, has_high;
  double low, high;  /* widened by half a unit of the last printed digit */
  double least_high; /* what still rounds to the printed upper figure */
} tern_range;

/* From the printed texts ("1.37", "5.07"; "" where there is no bound). */
tern_range tern_range_parse(const char *low, const char *high);

/* A measured or computed figure; over several models the hull of theirs. */
typedef struct tern_figure {
  bool present;
  bool exact; /* a size or a formula: no repetitions needed */
  int n;      /* repetitions, the least of the models */
  int models;
  double median_low, median_high; /* equal for one model */
  double low, high;               /* interval; NAN without */
  double coverage;
} tern_figure;

typedef enum tern_place { TERN_BELOW, TERN_INSIDE, TERN_ABOVE, TERN_PARTLY } tern_place;
tern_place tern_range_place(const tern_range *range, double median_low, double median_high);
/* Whether the interval crosses a bound that the median does not. */
bool tern_range_crossed(const tern_range *range, const tern_figure *f);

typedef enum tern_verdict {
  TERN_VERDICT_REPRODUCED,
  TERN_VERDICT_NOT_REPRODUCED,
  TERN_VERDICT_INSIDE,
  TERN_VERDICT_BELOW,
  TERN_VERDICT_ABOVE,
  TERN_VERDICT_PARTLY,
  TERN_VERDICT_RECOMPUTED,     /* a modelled figure follows from the shapes */
  TERN_VERDICT_NOT_RECOMPUTED, /* ... or does not */
  TERN_VERDICT_NONE,           /* too few repetitions */
  TERN_VERDICT_NOT_TESTABLE,
  TERN_VERDICTS
} tern_verdict;

/* `unmet` (may be NULL): why the claim can't be tested here; it wins.
 * `modelled`: the claim is a formula's result and `ours` ours. */
tern_verdict tern_verdict_decide(const tern_range *range, const tern_figure *ours, const tern_figure *peers,
                                 const char *unmet, bool modelled);

/* "reproduced", "ours: inside the published range", ... */
const char *tern_verdict_text(tern_verdict v);
/* Place of `ours` alone: "inside the published range"; "" without one. */
const char *tern_verdict_ours(const tern_range *range, const tern_figure *ours);

#endif
