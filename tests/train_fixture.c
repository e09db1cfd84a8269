/* Training data of a test: sums, from counters. */
#include "tests/train_fixture.h"

#include <sys/stat.h>

#include "engine/base/file.h"
#include "engine/base/random.h"
#include "engine/train/bpe.h"

enum { RECORDS = 300, HELD = 40 };

static void need(int rc, const tern_error *e) {
  if (rc == TERN_OK) return;
  fprintf(stderr, "fixture: %s\n", e->text);
  abort();
}

void fixture_text(folder *f, const char *name, const char *text) {
  FILE *to = fopen(folder_path(f, name), "w");
  if (!to || fputs(text, to) < 0 || fclose(to) != 0) abort();
}

static void put_sums(folder *f, const char *name, int count, uint64_t stream) {
  FILE *to = fopen(folder_path(f, name), "w");
  if (!to) abort();
  for (int i = 0; i < count; i++) {
    const uint64_t r = tern_random_at(3, stream, (uint64_t)i);
    const unsigned a = (unsigned)(r % 50), b = (unsigned)(r >> 20) % 50;
    if (i % 4)
      fprintf(to, "{\"prompt\": \"%u plus %u is \", \"completion\": \"%u\", \"task\": \"drill\"}\n", a, b, a + b);
    else
      fprintf(to,
              "{\"prompt\": \"\", \"completion\": \"Ann has %u apples and Tom has %u pears. They sell some of "
              "them on the market and go home.\", \"task\": \"story\"}\n",
              a, b);
  }
  if (fclose(to) != 0) abort();
}

folder fixture_open(void) {
  folder f = folder_open();
  char text[600];
  tern_error e = {0};
  tern_bpe_result r;
  put_sums(&f, "train.jsonl", RECORDS, 1);
  put_sums(&f, "held.jsonl", HELD, 2);
  snprintf(text, sizeof text, "%s", folder_path(&f, "train.jsonl"));
  const char *files[] = {text};
  need(tern_bpe_train(folder_path(&f, "tokenizer.gguf"), files, 1,
                      &(tern_bpe_params){.vocab = 300, .split_digits = true, .min_count = 2}, &r, &e),
       &e);
  fixture_config(&f, "ternary.json", &(fixture_change){0});
  return f;
}

static const char *or_empty(const char *text) {
  return text ? text : "";
}

void fixture_config(folder *f, const char *name, const fixture_change *c) {
  char text[2000];
  snprintf(text, sizeof text,
           "{\"name\": \"test\", \"tokenizer\": \"tokenizer.gguf\"%s,\n"
           " \"model\": {%s%s},\n"
           " \"data\": {%s%s},\n"
           " \"train\": {\"steps\": 12, %s, \"warmup\": 4, \"lr\": 0.01%s}}\n",
           or_empty(c->top),
           c->shape ? c->shape
                    : "\"layers\": 2, \"hidden\": 64, \"ffn\": 128, \"heads\": 4, \"kv_heads\": 2, \"context\": 64",
           or_empty(c->model), c->files ? c->files : "\"train\": [\"train.jsonl\"], \"eval\": [\"held.jsonl\"]",
           or_empty(c->data), c->batch ? c->batch : "\"batch_tokens\": 256, \"slices\": 3", or_empty(c->train));
  fixture_text(f, name, text);
}

void fixture_trainer(tern_trainer *t, folder *f, const char *name, int threads, tern_isa cap) {
  tern_train_config c;
  tern_error e = {0};
  need(tern_train_config_read(&c, folder_path(f, name), &e), &e);
  need(tern_trainer_open(t, &c, threads, cap, &e), &e);
  tern_train_config_close(&c);
}

char *fixture_read(folder *f, const char *name, size_t *size) {
  tern_error e = {0};
  char *text = tern_file_read(folder_path(f, name), 1 << 26, size, &e);
  if (!text) need(TERN_FAILED, &e);
  return text;
}

void fixture_close(folder *f) {
  DIR *d = opendir(f->folder);
  for (struct dirent *x; d && (x = readdir(d));) {
    struct stat st;
    if (x->d_name[0] == '.' || lstat(folder_path(f, x->d_name), &st) != 0 || !S_ISDIR(st.st_mode)) continue;
    folder inner;
    snprintf(inner.folder, sizeof inner.folder, "%.180s/%.15s", f->folder, x->d_name);
    folder_close(&inner);
  }
  if (d) closedir(d);
  folder_close(f);
}
