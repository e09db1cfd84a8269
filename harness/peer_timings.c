/* The closing lines of llama-cli and of bitnet.cpp's run_inference:
 *   llama_perf_context_print: prompt eval time =  123.45 ms /  5 tokens ( ...
 *   llama_perf_context_print:        eval time = 1234.56 ms / 63 runs   ( ...
 * "llama_print_timings:" in older ones. */
#include <stdio.h>
#include <string.h>

#include "harness/peer_read.h"

bool tern_peer_timings(const char *text, bool prompt, double *ms, double *count) {
  bool found = false;
  for (const char *p = text; (p = strstr(p, "eval time")) != NULL; p++) {
    bool of_prompt = p - text >= 7 && memcmp(p - 7, "prompt ", 7) == 0;
    char unit[8];
    double took, many;
    if (of_prompt != prompt) continue;
    if (sscanf(p, "eval time = %lf ms / %lf %7[a-z]", &took, &many, unit) != 3) continue;
    if (strcmp(unit, "tokens") != 0 && strcmp(unit, "token") != 0 && strcmp(unit, "runs") != 0) continue;
    *ms = took;
    *count = many;
    found = true; /* the last one counts: earlier ones may be of a warm-up */
  }
  return found;
}
