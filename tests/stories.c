/* See stories.h. */
#include "tests/stories.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/format/convert.h"
#include "engine/text/tokenizer.h"

const char *stories_shared(const char *name) {
  static char path[4][4096];
  static int next;
  char *to = path[next++ % 4];
  const char *root = getenv("TERN_SHARED");
  snprintf(to, sizeof path[0], "%s/data/%s", root != NULL ? root : "../shared", name);
  if (access(to, R_OK) == 0) return to;
  fprintf(stderr, "%s is not here\n", to);
  return NULL;
}

static int put_vocabulary(void *arg, tern_gguf_writer *w, int64_t vocab, tern_error *e) {
  tern_tokenizer *t;
  if (tern_tokenizer_from_llama2c(&t, arg, (int)vocab, e) != TERN_OK) return TERN_FAILED;
  int status = tern_tokenizer_write(t, w, e);
  tern_tokenizer_close(t);
  return status;
}

int stories_convert(const char *checkpoint, const char *path) {
  const char *in = stories_shared(checkpoint), *vocabulary = stories_shared("models/tok512.bin");
  const tern_convert_params params = {
      .put_vocabulary = put_vocabulary, .arg = (void *)(uintptr_t)vocabulary, .name = "test"};
  tern_gguf *g = NULL;
  tern_team *team = NULL;
  tern_error e = {0};
  int status = in == NULL || vocabulary == NULL;
  if (!status) status = tern_gguf_open(&g, in, &e);
  if (!status) status = tern_team_open(&team, 1, NULL, &e);
  if (!status) status = tern_convert(g, path, &params, team, &e);
  if (e.text[0] != 0) fprintf(stderr, "%s\n", e.text);
  tern_team_close(team);
  tern_gguf_close(g);
  return status;
}
