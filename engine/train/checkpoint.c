/* Checkpoints: a header, the configuration, the vocabulary's file, then weights
 * and moments as they lie in memory; a checksum ends the file. Little-endian. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/train/adapter_file.h"
#include "engine/train/trainer_parts.h"

static const char magic[8] = {'T', 'E', 'R', 'N', 'T', 'R', 'N', '2'}, first_magic[8] = "TERNTRN1";

typedef struct header {
  char magic[8];
  uint64_t step, epoch, next, fingerprint; /* fingerprint: of the training data */
  uint64_t config_size, vocabulary_size, floats;
  tern_train_watch watch; /* not in files of the first kind */
} header;

/* FNV-1a over words; the last one padded by zeros. */
static uint64_t checksum(uint64_t h, const void *data, size_t size) {
  const char *from = data;
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = 0;
    memcpy(&word, from + i, size - i < 8 ? size - i : 8);
    h = (h ^ word) * UINT64_C(0x100000001b3);
  }
  return h;
}

int tern_checkpoint_write(const tern_trainer *t, const char *path, tern_error *e) {
  const size_t arena = t->net.size * sizeof(float);
  header h = {.step = (uint64_t)t->step,
              .epoch = t->cursor.epoch,
              .next = t->cursor.next,
              .fingerprint = t->data.fingerprint,
              .config_size = strlen(t->config.text),
              .vocabulary_size = t->vocabulary_size,
              .floats = t->net.size,
              .watch = t->watch};
  const struct {
    const void *data;
    size_t size;
  } parts[] = {{&h, sizeof h},
               {t->config.text, h.config_size},
               {t->vocabulary, t->vocabulary_size},
               {t->net.w, arena},
               {t->m, arena},
               {t->v, arena}};
  uint64_t sum = 0;
  tern_output *o;
  memcpy(h.magic, magic, sizeof magic);
  if (tern_output_open(&o, path, e) != TERN_OK) return TERN_FAILED;
  FILE *f = tern_output_stream(o);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (fwrite(parts[i].data, 1, parts[i].size, f) != parts[i].size) {
      tern_fail_errno(e, "%s: cannot write the checkpoint", path);
      tern_output_abandon(o);
      return TERN_FAILED;
    }
    sum = checksum(sum, parts[i].data, parts[i].size);
  }
  fwrite(&sum, sizeof sum, 1, f); /* a failure shows at the commit */
  return tern_output_commit(o, e);
}

/* A NUL-terminated copy. */
static char *copy(const uint8_t *from, size_t size) {
  char *to = malloc(size + 1);
  if (!to) return NULL;
  memcpy(to, from, size);
  to[size] = 0;
  return to;
}

static size_t header_size(const header *h) {
  return memcmp(h->magic, magic, sizeof magic) == 0 ? sizeof *h : offsetof(header, watch);
}

static int read_header(header *h, const tern_map *m, const char *path, tern_error *e) {
  uint64_t sum;
  if (m->size < sizeof *h + sizeof sum ||
      (memcmp(m->data, magic, sizeof magic) != 0 && memcmp(m->data, first_magic, sizeof magic) != 0))
    return tern_fail(e, TERN_FAILED, "%s: not a checkpoint of ternmark train", path);
  memcpy(h, m->data, sizeof *h);
  if (header_size(h) < sizeof *h) h->watch = (tern_train_watch){.base = NAN, .best = INFINITY};
  const uint64_t left = m->size - header_size(h) - sizeof sum;
  if (h->config_size > left || h->vocabulary_size > left - h->config_size || h->floats > left / 12 ||
      h->config_size + h->vocabulary_size + 12 * h->floats != left)
    return tern_fail(e, TERN_FAILED, "%s: the checkpoint is cut short or damaged", path);
  return TERN_OK;
}

static int fill(tern_trainer *t, const header *h, size_t size, const uint8_t *floats, const char *path, tern_error *e) {
  const size_t arena = size * sizeof(float);
  if (h->floats != size)
    return tern_fail(e, TERN_FAILED, "%s: %llu weights, but its configuration makes %zu", path,
                     (unsigned long long)h->floats, size);
  memcpy(t->net.w, floats, arena);
  memcpy(t->m, floats + arena, arena);
  memcpy(t->v, floats + 2 * arena, arena);
  t->step = (int)h->step;
  t->watch = h->watch;
  t->cursor = (tern_cursor){.epoch = h->epoch, .next = h->next};
  if (t->data.documents && t->data.fingerprint != h->fingerprint)
    return tern_fail(e, TERN_FAILED, "%s: the training data have changed since this checkpoint; start anew", path);
  return TERN_OK;
}

/* Maps a checkpoint that is whole. */
static int open_checkpoint(tern_map *m, header *h, const char *path, tern_error *e) {
  uint64_t sum = 0, want;
  if (tern_map_open(m, path, e) != TERN_OK) return TERN_FAILED;
  int status = read_header(h, m, path, e);
  if (status == TERN_OK) {
    const size_t arena = (size_t)h->floats * sizeof(float);
    const size_t sizes[] = {header_size(h), (size_t)h->config_size, (size_t)h->vocabulary_size, arena, arena, arena};
    const uint8_t *part = m->data;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; part += sizes[i++]) sum = checksum(sum, part, sizes[i]);
    memcpy(&want, part, sizeof want);
    if (sum != want) status = tern_fail(e, TERN_FAILED, "%s: the checkpoint is damaged (checksum)", path);
  }
  if (status != TERN_OK) tern_map_close(m);
  return status;
}

/* beside: a file of adapters, or NULL. */
static int load(tern_trainer *t, const char *path, const tern_gguf *beside, int threads, tern_isa cap, bool data,
                tern_error *e) {
  tern_map m;
  header h;
  *t = (tern_trainer){0};
  if (open_checkpoint(&m, &h, path, e) != TERN_OK) return TERN_FAILED;
  const uint8_t *text = m.data + header_size(&h), *vocabulary = text + h.config_size;
  char *config = copy(text, (size_t)h.config_size);
  t->vocabulary = copy(vocabulary, (size_t)h.vocabulary_size);
  t->vocabulary_size = (size_t)h.vocabulary_size;
  int status = config && t->vocabulary ? TERN_OK : tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  if (status == TERN_OK) status = tern_train_config_parse(&t->config, config, path, e);
  if (status == TERN_OK && beside && t->config.lora_rank > 0)
    status = tern_fail(e, TERN_FAILED, "%s: has adapters of its own", path);
  if (status == TERN_OK && beside) status = tern_adapters_describe(beside, &t->config, e);
  if (status == TERN_OK) status = tern_trainer_build(t, threads, cap, data, e);
  if (status == TERN_OK)
    status = fill(t, &h, beside ? t->net.base_size : t->net.size, vocabulary + h.vocabulary_size, path, e);
  if (status == TERN_OK && beside) status = tern_adapters_read(beside, &t->net, e);
  free(config);
  tern_map_close(&m);
  if (status != TERN_OK) tern_trainer_close(t);
  return status;
}

int tern_trainer_load(tern_trainer *t, const char *path, int threads, tern_isa cap, bool data, tern_error *e) {
  return load(t, path, NULL, threads, cap, data, e);
}

int tern_trainer_load_adapted(tern_trainer *t, const char *checkpoint, const char *adapters, int threads, tern_isa cap,
                              tern_error *e) {
  tern_gguf *g;
  *t = (tern_trainer){0};
  if (tern_gguf_open(&g, adapters, e) != TERN_OK) return TERN_FAILED;
  int status = load(t, checkpoint, g, threads, cap, false, e);
  tern_gguf_close(g);
  return status;
}

int tern_trainer_start_from_checkpoint(tern_trainer *t, const char *path, tern_error *e) {
  tern_map m;
  header h;
  if (open_checkpoint(&m, &h, path, e) != TERN_OK) return TERN_FAILED;
  const uint8_t *vocabulary = m.data + header_size(&h) + h.config_size;
  int status = TERN_OK;
  if (h.vocabulary_size != t->vocabulary_size || memcmp(vocabulary, t->vocabulary, t->vocabulary_size) != 0)
    status = tern_fail(e, TERN_FAILED, "%s: made with another vocabulary than %s", path, t->config.tokenizer);
  else if (h.floats != t->net.base_size)
    status = tern_fail(e, TERN_FAILED, "%s: of another shape: %llu weights, the configuration makes %zu", path,
                       (unsigned long long)h.floats, t->net.base_size);
  else
    memcpy(t->net.w, vocabulary + h.vocabulary_size, t->net.base_size * sizeof(float));
  tern_map_close(&m);
  return status;
}
