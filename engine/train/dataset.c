/* Reading of training data. A record is tokenised in parts, so that a prompt's
 * tokens are those that the prompt alone has when the model is asked. */
#include "engine/train/dataset.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/train/record.h"

enum { FILE_LIMIT = 1 << 30 };

typedef struct reader {
  tern_dataset *d;
  const tern_train_config *c;
  const tern_tokenizer *t;
  const char *path;
  int file; /* the first entry of that path */
  size_t line;
  bool *found; /* [entries] that have documents */
  tern_error *e;
} reader;

static int refuse(const reader *r, const char *text) {
  return tern_fail(r->e, TERN_FAILED, "%s:%zu: %s", r->path, r->line, text);
}

static int reserve(const reader *r, size_t tokens) {
  tern_dataset *d = r->d;
  const size_t used = d->at ? d->at[d->documents] : 0;
  if (used + tokens > d->token_capacity || !d->tokens) {
    const size_t capacity = 2 * d->token_capacity + tokens + 4096;
    int32_t *ids = realloc(d->tokens, tern_mul(capacity, sizeof *ids));
    if (ids) d->tokens = ids;
    float *weights = ids ? realloc(d->weights, tern_mul(capacity, sizeof *weights)) : NULL;
    if (weights) d->weights = weights;
    if (!weights) return refuse(r, "out of memory");
    d->token_capacity = capacity;
  }
  if (d->documents + 2 > d->capacity || !d->at) {
    const size_t capacity = 2 * d->capacity + 256;
    size_t *at = realloc(d->at, tern_mul(capacity, sizeof *at));
    if (at) {
      if (!d->at) at[0] = 0;
      d->at = at;
    }
    uint8_t *file = at ? realloc(d->file, capacity) : NULL;
    if (file) d->file = file;
    if (!file) return refuse(r, "out of memory");
    d->capacity = capacity;
  }
  return TERN_OK;
}

/* Appends a text's tokens with their weight to the open document. */
static int append(const reader *r, size_t *used, const tern_train_piece *p, double weight) {
  int32_t *ids = NULL;
  size_t count = 0;
  if (p->size == 0) return TERN_OK;
  if (tern_tokenizer_encode(r->t, p->text, p->size, p->special, &ids, &count, r->e) != TERN_OK) return TERN_FAILED;
  int status = reserve(r, *used + count + 2 - r->d->at[r->d->documents]);
  for (size_t i = 0; status == TERN_OK && i < count; i++, ++*used) {
    r->d->tokens[*used] = ids[i];
    r->d->weights[*used] = (float)weight;
  }
  free(ids);
  return status;
}

/* [BOS] pieces [EOS], at most a context of it; `file` is its entry. */
static int add_document(const reader *r, int file, const tern_train_piece *pieces, int count, double factor) {
  tern_dataset *d = r->d;
  const int32_t bos = tern_tokenizer_bos(r->t), eos = tern_tokenizer_eos(r->t);
  if (reserve(r, 2) != TERN_OK) return TERN_FAILED;
  const size_t start = d->at[d->documents];
  size_t used = start;
  if (bos >= 0 && tern_tokenizer_adds_bos(r->t)) d->tokens[used++] = bos;
  for (int i = 0; i < count; i++) {
    if (append(r, &used, &pieces[i], (pieces[i].answer ? 1 : r->c->prompt_weight) * factor) != TERN_OK)
      return TERN_FAILED;
  }
  if (eos >= 0 && !(used > start && d->tokens[used - 1] == eos)) { /* some templates end with it */
    d->tokens[used] = eos;
    d->weights[used++] = (float)factor;
  }
  if (used - start < 2) return refuse(r, "no text to learn from");
  d->weights[start] = 0;
  if (used - start > (size_t)r->c->context) {
    used = start + (size_t)r->c->context;
    d->cut++;
  }
  d->file[d->documents] = (uint8_t)file;
  d->at[++d->documents] = used;
  r->found[file] = true;
  return TERN_OK;
}

/* A document for each entry of this path that wants the record's task. */
static int add_record(const reader *r, const tern_train_record *record) {
  const tern_train_files *files = &r->d->files;
  int status = TERN_OK;
  for (int i = r->file; i < files->count && status == TERN_OK; i++) {
    if (strcmp(files->at[i].path, r->path) != 0) continue;
    if (!*files->at[i].task || strcmp(files->at[i].task, record->task) == 0)
      status = add_document(r, i, record->pieces, record->count, record->factor);
  }
  return status;
}

static int read_record(const reader *r, json_t *json) {
  tern_train_record record;
  int status = tern_train_record_read(&record, json, r->c, r->e);
  if (status != TERN_OK) {
    const tern_error why = *r->e;
    status = refuse(r, why.text);
  } else {
    status = add_record(r, &record);
  }
  tern_train_record_close(&record);
  return status;
}

static int read_lines(reader *r, const char *text, size_t size) {
  for (size_t at = 0; at < size;) {
    const char *end = memchr(text + at, '\n', size - at);
    const size_t length = end ? (size_t)(end - text) - at : size - at;
    json_error_t bad;
    r->line++;
    if (strspn(text + at, " \t\r") < length) {
      json_t *record = json_loadb(text + at, length, JSON_REJECT_DUPLICATES, &bad);
      if (!record) return refuse(r, bad.text);
      int status = read_record(r, record);
      json_decref(record);
      if (status != TERN_OK) return status;
    }
    at += length + 1;
  }
  return TERN_OK;
}

static int read_paragraphs(reader *r, const char *text, size_t size) {
  size_t line = 1;
  for (size_t at = 0; at < size;) {
    for (; at < size && text[at] == '\n'; at++) line++;
    const char *end = at < size ? memmem(text + at, size - at, "\n\n", 2) : NULL;
    const size_t length = end ? (size_t)(end - text) - at : size - at;
    r->line = line;
    const tern_train_record all = {.pieces = &(tern_train_piece){.text = text + at, .size = length, .answer = true},
                                   .count = 1,
                                   .factor = 1,
                                   .task = ""};
    if (length && add_record(r, &all) != TERN_OK) return TERN_FAILED;
    for (size_t i = 0; i < length; i++) line += text[at + i] == '\n';
    at += length;
  }
  return TERN_OK;
}

/* Of the numbers that training sees; a resumed run must find the same. */
static uint64_t fingerprint(const tern_dataset *d) {
  uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a over words */
  for (size_t i = 0; i < d->documents; i++) h = (h ^ d->at[i + 1]) * UINT64_C(0x100000001b3);
  for (size_t i = 0; i < d->at[d->documents]; i++) {
    uint32_t bits;
    memcpy(&bits, &d->weights[i], sizeof bits);
    h = (h ^ (uint32_t)d->tokens[i]) * UINT64_C(0x100000001b3);
    h = (h ^ bits) * UINT64_C(0x100000001b3);
  }
  return h;
}

static bool was_read(const tern_train_files *files, int file) {
  for (int i = 0; i < file; i++) {
    if (strcmp(files->at[i].path, files->at[file].path) == 0) return true;
  }
  return false;
}

static int read_file(reader *r) {
  size_t size;
  char *text = tern_file_read(r->path, FILE_LIMIT, &size, r->e);
  if (!text) return TERN_FAILED;
  const char *dot = strrchr(r->path, '.');
  int status = (dot && strcmp(dot, ".jsonl") == 0 ? read_lines : read_paragraphs)(r, text, size);
  free(text);
  return status;
}

int tern_dataset_read(tern_dataset *d, const tern_train_config *c, const tern_train_files *files,
                      const tern_tokenizer *t, tern_error *e) {
  *d = (tern_dataset){.files = *files};
  bool *found = calloc((size_t)files->count + 1, sizeof *found);
  int status = found ? TERN_OK : tern_fail(e, TERN_FAILED, "training data: out of memory");
  for (int i = 0; i < files->count && status == TERN_OK; i++) {
    reader r = {.d = d, .c = c, .t = t, .path = files->at[i].path, .file = i, .found = found, .e = e};
    if (!was_read(files, i)) status = read_file(&r);
  }
  for (int i = 0; i < files->count && status == TERN_OK; i++) {
    const tern_train_file *f = &files->at[i];
    if (!found[i])
      status = tern_fail(e, TERN_FAILED, "%s: no records%s%s: want JSON lines or paragraphs of text", f->path,
                         *f->task ? " of task " : "", f->task);
  }
  free(found);
  if (status != TERN_OK)
    tern_dataset_close(d);
  else
    d->fingerprint = d->documents ? fingerprint(d) : 0;
  return status;
}

void tern_dataset_close(tern_dataset *d) {
  free(d->tokens);
  free(d->weights);
  free(d->at);
  free(d->file);
  *d = (tern_dataset){0};
}
