/* One cycle through all lines: next = a i + c modulo their number, a power of
 * two, with a mod 8 = 5 and c odd, has the full period (Hull and Dobell 1962,
 * 10.1137/1004061), and is written in rising order, so making it is cheap. */
#include "harness/latency.h"

#include <math.h>
#include <stdint.h>

#include "engine/base/progress.h"

enum { LINE_WORDS = 64 / sizeof(uint64_t), WINDOWS = 9, HOPS = 16384 };

double tern_latency_ns(void *data, size_t bytes) {
  uint64_t *words = data, lines = 1;
  while (lines * 2 <= bytes / 64) lines *= 2;
  if (lines < 2) return (double)NAN;
  for (uint64_t i = 0; i < lines; i++)
    words[i * LINE_WORDS] = (UINT64_C(0x5851f42d4c957f2d) * i + UINT64_C(0x14057b7ef767814f)) & (lines - 1);
  double best = INFINITY;
  volatile uint64_t at = 0;
  for (int w = 0; w < WINDOWS; w++) {
    uint64_t line = at;
    const double start = tern_now();
    for (int h = 0; h < HOPS; h++) line = words[line * LINE_WORDS];
    const double seconds = tern_now() - start;
    at = line;
    if (seconds < best) best = seconds;
  }
  return best / HOPS * 1e9;
}
