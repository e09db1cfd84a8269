/* Tokenizers on their way from one kind of model file to another. */
#include "harness/convert_tokens.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/text/tokenizer.h"

enum { MOST_BYTES = 256 << 20 };

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

static int open_tokens(tern_tokenizer **out, const tern_convert_tokens *v, int64_t rows, tern_error *e) {
  int rc = !v->file                     ? tern_tokenizer_from_gguf(out, v->in, e)
           : ends_with(v->file, ".bin") ? tern_tokenizer_from_llama2c(out, v->file, (int)rows, e)
                                        : tern_tokenizer_open(out, v->file, e);
  if (rc || tern_tokenizer_size(*out) <= rows) return rc;
  rc = tern_fail(e, TERN_FAILED, "%s: %d tokens, but the embedding has %lld rows: not this model's tokenizer",
                 v->file ? v->file : tern_gguf_name(v->in), tern_tokenizer_size(*out), (long long)rows);
  tern_tokenizer_close(*out);
  return rc;
}

int tern_convert_put_tokens(void *arg, tern_gguf_writer *w, int64_t rows, tern_error *e) {
  tern_tokenizer *t;
  int rc = open_tokens(&t, arg, rows, e);
  if (rc) return rc;
  rc = tern_tokenizer_write_padded(t, (int)rows, w, e);
  tern_tokenizer_close(t);
  return rc;
}

static int copy(const char *from, const char *folder, const char *name, tern_error *e) {
  char to[PATH_MAX];
  size_t size;
  tern_output *out = NULL;
  char *text = tern_file_read(from, MOST_BYTES, &size, e);
  if (!text) return TERN_FAILED;
  snprintf(to, sizeof to, "%s/%s", folder, name);
  int rc = tern_output_open(&out, to, e);
  if (!rc && fwrite(text, 1, size, tern_output_stream(out)) != size) {
    rc = tern_fail_errno(e, "%s: cannot write", to);
    tern_output_abandon(out);
  } else if (!rc) {
    rc = tern_output_commit(out, e);
  }
  free(text);
  return rc;
}

/* The files beside the input's tokenizer.json that belong to it. */
static int copy_files(const char *path, const char *folder, tern_error *e) {
  static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                                      "generation_config.json", "chat_template.jinja"};
  char from[PATH_MAX];
  int rc = 0, length = (int)(strrchr(path, '/') - path);
  for (size_t i = 0; i < sizeof names / sizeof *names && !rc; i++) {
    snprintf(from, sizeof from, "%.*s/%s", length, path, names[i]);
    if (access(from, F_OK) == 0) rc = copy(from, folder, names[i], e);
  }
  return rc;
}

int tern_convert_export_tokens(const tern_convert_tokens *v, const char *folder, bool *none, tern_error *e) {
  char path[PATH_MAX];
  tern_gguf_string s = {0}, template = {0};
  tern_tokenizer *t;
  const tern_gguf_tensor *embedding = tern_gguf_tensor_find(v->in, "token_embd.weight");
  bool own = tern_gguf_text(v->in, "ternmark.tokenizer", &s);
  *none = !v->file && !own && !tern_gguf_has(v->in, "tokenizer.ggml.tokens");
  if (*none || !embedding) return 0;
  snprintf(path, sizeof path, "%.*s", (int)(s.size < sizeof path ? s.size : sizeof path - 1), s.data ? s.data : "");
  if (!v->file && ends_with(path, ".json")) return copy_files(path, folder, e);
  int rc = open_tokens(&t, v, embedding->shape[1], e);
  if (rc) return rc;
  tern_gguf_text(v->in, "tokenizer.chat_template", &template);
  rc = tern_tokenizer_export(t, (int)embedding->shape[1], template, folder, e);
  tern_tokenizer_close(t);
  return rc;
}
