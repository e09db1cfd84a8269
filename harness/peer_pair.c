/* A meter sees a whole process, with its loading and warm-up. Those cancel in
 * the difference of two runs, of n and of 2n tokens, only where the clock bears
 * it out: a warm-up as long as the run, or several repetitions, would be taken
 * for the tokens' own joules. */
#include <math.h>
#include <stdio.h>

#include "harness/peer.h"

/* How far the difference in wall time may be from the account's, as a share of it. */
static const double wall_slack = 0.25;

bool tern_peer_pair(const tern_peer_result *once, const tern_peer_result *twice, char *why, size_t size) {
  double account = twice->seconds - once->seconds, wall = twice->wall_s - once->wall_s;
  if (!(account > 0)) {
    snprintf(why, size, "twice the tokens took no more time: the runs are too short to tell");
    return false;
  }
  if (fabs(wall - account) <= wall_slack * account) return true;
  snprintf(why, size,
           "loading does not cancel: with twice the tokens the process took %.3f s longer, %.3f s by its own account "
           "(ask for one repetition without warm-up)",
           wall, account);
  return false;
}
