/* The CSV log. Rows past the checkpoint that a run resumes from are cut off:
 * they will be computed again. */
#include "engine/train/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head[] = "step,tokens,seconds,rate,loss,norm,eval_loss\n";

/* Where the row after `steps` starts. */
static long keep(FILE *f, int steps) {
  char *line = NULL;
  size_t room = 0;
  long end = -1;
  while (getline(&line, &room, f) > 0) {
    if (end >= 0 && atoi(line) > steps) break;
    end = ftell(f);
  }
  free(line);
  return end;
}

int tern_log_open(FILE **out, const char *path, int steps, tern_error *e) {
  FILE *f = fopen(path, steps > 0 ? "r+e" : "we");
  if (!f && steps > 0) f = fopen(path, "we");
  if (!f) return tern_fail_errno(e, "%s: cannot write", path);
  const long end = steps > 0 ? keep(f, steps) : -1;
  if (end > 0 && (ftruncate(fileno(f), end) != 0 || fseek(f, end, SEEK_SET) != 0)) {
    fclose(f);
    return tern_fail_errno(e, "%s: cannot write", path);
  }
  if (end <= 0) fputs(head, f);
  *out = f;
  return TERN_OK;
}

void tern_log_put(FILE *f, int step, const tern_train_step *s, double tokens, double seconds, double held) {
  fprintf(f, "%d,%.0f,%.3f,%.6g,%.9g,%.6g,", step, tokens, seconds, s->rate, s->loss, s->norm);
  if (!isnan(held)) fprintf(f, "%.9g", held);
  fputc('\n', f);
}
