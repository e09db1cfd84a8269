/* Agreement with an outside engine: evaluates the ids as one sequence and
 * compares every position's logits with those that the other engine wrote
 * (raw float32, [positions][vocabulary]). Prints the figures of docs/parity.md
 * and every top-1 disagreement with its margin. Not a ctest: the other engine
 * is built by whoever runs it.
 * usage: parity_probe MODEL.gguf IDS.txt LOGITS.bin [LAYOUT [HEAD [KV]]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/model/model.h"

enum { MOST_IDS = 4096 };

typedef struct agreement {
  int positions, same;
  double square_difference, difference, square, sum, largest;
  double count;
} agreement;

static int top(const float *logits, int n) {
  int best = 0;
  for (int i = 1; i < n; i++) {
    if (logits[i] > logits[best]) best = i;
  }
  return best;
}

static void compare(agreement *a, const float *ours, const float *theirs, int vocab, int position) {
  for (int i = 0; i < vocab; i++) {
    double d = (double)ours[i] - (double)theirs[i];
    a->square_difference += d * d;
    a->difference += fabs(d);
    a->square += (double)theirs[i] * (double)theirs[i];
    a->sum += (double)theirs[i];
    if (fabs(d) > a->largest) a->largest = fabs(d);
  }
  a->count += vocab;
  a->positions++;
  int mine = top(ours, vocab), other = top(theirs, vocab);
  if (mine == other) {
    a->same++;
  } else {
    printf("| %d | %d | %d | %.5f | %.5f |\n", position, mine, other, (double)ours[mine] - (double)ours[other],
           (double)theirs[other] - (double)theirs[mine]);
  }
}

static int read_ids(const char *path, int32_t *ids) {
  FILE *f = fopen(path, "r");
  int n = 0;
  if (!f) return 0;
  while (n < MOST_IDS && fscanf(f, "%d", &ids[n]) == 1) n++;
  fclose(f);
  return n;
}

static void print_summary(const agreement *a) {
  double mean = a->sum / a->count, deviation = sqrt(a->square / a->count - mean * mean);
  double rms = sqrt(a->square_difference / a->count);
  printf("positions %d, top-1 equal %d (%.2f %%), difference: mean %.3g, RMS %.3g = %.3f %% of the logits' deviation "
         "%.4f, largest %.3g\n",
         a->positions, a->same, 100.0 * a->same / a->positions, a->difference / a->count, rms, 100 * rms / deviation,
         deviation, a->largest);
}

int main(int argc, char **argv) {
  static int32_t ids[MOST_IDS];
  tern_error e = {0};
  tern_gguf *g = NULL;
  tern_model *m = NULL;
  tern_team *team = NULL;
  tern_session *s = NULL;
  tern_map theirs = {0};
  float *logits = NULL;
  size_t bytes = 0;
  int status = 1, n = argc > 3 ? read_ids(argv[2], ids) : 0;
  tern_model_params p = {.layout = argc > 4 && *argv[4] ? argv[4] : NULL,
                         .head_layout = argc > 5 ? argv[5] : NULL,
                         .isa_cap = TERN_ISA_COUNT};
  if (argc < 4) {
    fprintf(stderr, "usage: parity_probe MODEL.gguf IDS.txt LOGITS.bin [LAYOUT [HEAD [KV]]]\n");
    return 2;
  }
  if (tern_team_open(&team, 2, NULL, &e) || tern_gguf_open(&g, argv[1], &e)) goto out;
  if (tern_model_load(&m, g, &p, team, &e) || tern_map_open(&theirs, argv[3], &e)) goto out;
  const tern_model_facts *facts = tern_model_describe(m);
  size_t row = (size_t)facts->vocab;
  if (n == 0 || theirs.size != (size_t)n * row * sizeof(float)) {
    tern_fail(&e, TERN_FAILED, "%s: want %d x %zu float32", argv[3], n, row);
    goto out;
  }
  tern_session_params sp = {.context = n, .kv = argc > 6 && strcmp(argv[6], "f16") == 0 ? TERN_KV_F16 : TERN_KV_F32};
  bytes = row * sizeof(float);
  logits = tern_alloc(bytes, "logits", &e);
  if (!logits || tern_session_open(&s, m, team, &sp, &e)) goto out;
  agreement a = {0};
  printf("| position | ours | theirs | our margin | their margin |\n|---|---|---|---|---|\n");
  for (int i = 0; i < n; i++) {
    if (tern_session_eval(s, &ids[i], 1, TERN_WANT_LAST, logits, &e)) goto out;
    compare(&a, logits, (const float *)(const void *)theirs.data + (size_t)i * row, facts->vocab, i);
  }
  print_summary(&a);
  status = 0;
out:
  if (status) fprintf(stderr, "parity_probe: %s\n", e.text);
  tern_session_close(s);
  tern_free(logits, bytes);
  if (theirs.data) tern_map_close(&theirs);
  tern_model_close(m);
  if (g) tern_gguf_close(g);
  tern_team_close(team);
  return status;
}
