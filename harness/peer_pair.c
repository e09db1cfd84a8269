/* Joules a token of an outside process. A meter sees the whole process, with
 * its loading and warm-up; those cancel in the difference of two runs, of n
 * and of 2n tokens. That they did is held against the clock: the longer run
 * must take as much longer as its own account says. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/peer.h"

/* How far the difference in wall time may be from the account's, as a share of it. */
static const double wall_slack = 0.25;

static bool because(char *why, size_t size, const char *reason) {
  snprintf(why, size, "%s", reason);
  return false;
}

bool tern_peer_pair(const tern_peer_metered *once, const tern_peer_metered *twice, double *joules_per_token, char *why,
                    size_t size) {
  *joules_per_token = NAN;
  for (int i = 0; i < 2; i++) {
    const tern_peer_metered *m = i ? twice : once;
    if (!isfinite(m->joules)) return because(why, size, m->why && *m->why ? m->why : "no joules of the process");
  }
  if (strcmp(once->scope, twice->scope) != 0) {
    snprintf(why, size, "the two runs were metered in different scopes: %s, %s", once->scope, twice->scope);
    return false;
  }
  if (once->tokens <= 0 || twice->tokens % 2 != 0 || twice->tokens / 2 != once->tokens)
    return because(why, size, "the pair is not of n and 2n tokens");
  double more = twice->joules - once->joules;
  if (more <= 0) return because(why, size, "twice the tokens took no more joules: the runs are too short to tell");
  double account = twice->seconds - once->seconds, wall = twice->wall_s - once->wall_s;
  if (!(account > 0)) return because(why, size, "twice the tokens took no more time: the runs are too short to tell");
  if (!(fabs(wall - account) <= wall_slack * account)) {
    snprintf(why, size,
             "loading does not cancel: the run of 2n tokens took %.3f s longer, %.3f s by its own account (ask for one "
             "repetition without warm-up)",
             wall, account);
    return false;
  }
  *joules_per_token = more / once->tokens;
  return true;
}
