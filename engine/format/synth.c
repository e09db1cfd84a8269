/* The generator: all tensors are cut into chunks of rows; members of the team
 * take the next chunk, make its values, encode them as a small matrix of their
 * own and write that at its place. Values depend on seed, tensor, row and
 * column only, so nothing depends on who did what when. */
#include "engine/format/synth.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/format/synth_private.h"

enum { SLACK = 32 }; /* tern_synth_codes writes past the end */

/* Buffers of one member, large enough for every chunk of the plan. */
typedef struct room {
  int8_t *codes;
  float *values;
  uint8_t *bytes;
} room;

typedef struct work {
  const synth_plan *plan;
  tern_gguf_writer *writer;
  size_t codes_size, values_size, bytes_size; /* of a room */
  tern_progress progress;
  atomic_llong next;
  atomic_int failed; /* set by the first member that fails, which alone writes *e */
  tern_error *e;
} work;

static int open_room(room *r, const work *k, tern_error *e) {
  r->codes = tern_alloc(k->codes_size, "synthetic codes", e);
  r->values = tern_alloc(k->values_size, "synthetic values", e);
  r->bytes = tern_alloc(k->bytes_size, "synthetic rows", e);
  return r->codes && r->values && r->bytes ? 0 : TERN_FAILED;
}

static void close_room(room *r, const work *k) {
  tern_free(r->codes, k->codes_size);
  tern_free(r->values, k->values_size);
  tern_free(r->bytes, k->bytes_size);
}

static void fill(const synth_plan *p, const synth_tensor *t, int row0, int count, room *r) {
  size_t cols = (size_t)t->cols;
  for (int i = 0; i < count; i++) {
    if (t->fill == FILL_ROPE) {
      tern_synth_rope(p->shape.llama3_factor, p->shape.rope_theta, t->cols, r->values);
    } else if (t->fill == FILL_TERNARY) {
      tern_synth_codes(p->seed, t->stream, t->cols, row0 + i, r->codes + (size_t)i * cols);
    } else {
      tern_synth_floats(p->seed, t->stream, t->fill, t->cols, row0 + i, r->values + (size_t)i * cols);
    }
  }
  if (t->fill == FILL_TERNARY && t->type->put_codes) {
    t->type->put_codes(r->bytes, count, t->cols, 0, count, r->codes, t->scale);
    return;
  }
  for (size_t i = 0; t->fill == FILL_TERNARY && i < (size_t)count * cols; i++) {
    r->values[i] = (float)r->codes[i] * t->scale;
  }
  t->type->put_floats(r->bytes, count, t->cols, 0, count, r->values);
}

static const synth_tensor *tensor_of(const synth_plan *p, int64_t chunk) {
  int lo = 0, hi = p->count - 1;
  while (lo < hi) {
    int middle = (lo + hi + 1) / 2;
    if (p->tensors[middle].chunk0 <= chunk) {
      lo = middle;
    } else {
      hi = middle - 1;
    }
  }
  return &p->tensors[lo];
}

static int do_chunk(const work *k, int64_t chunk, room *r, tern_error *e) {
  const synth_tensor *t = tensor_of(k->plan, chunk);
  int row0 = (int)(chunk - t->chunk0) * SYNTH_CHUNK;
  int count = t->rows - row0 < SYNTH_CHUNK ? t->rows - row0 : SYNTH_CHUNK;
  fill(k->plan, t, row0, count, r);
  size_t size = t->type->bytes(count, t->cols), offset = t->type->bytes(row0, t->cols) - t->type->tail;
  if (row0 + count < t->rows) size -= t->type->tail; /* the tensor's tail comes once, with the last chunk */
  return tern_gguf_writer_data(k->writer, t->index, offset, r->bytes, size, e);
}

static void job(void *arg, int member, int size) {
  work *k = arg;
  tern_error e;
  room r = {0};
  (void)size;
  int rc = open_room(&r, k, &e);
  while (!rc && !atomic_load(&k->failed)) {
    int64_t chunk = atomic_fetch_add(&k->next, 1);
    if (chunk >= k->plan->chunks) break;
    rc = tern_interrupt_check(&e);
    if (!rc) rc = do_chunk(k, chunk, &r, &e);
    if (member == 0 && k->plan->progress) tern_progress_update(&k->progress, (double)chunk);
  }
  close_room(&r, k);
  if (rc && !atomic_exchange(&k->failed, 1)) *k->e = e;
}

static void size_rooms(work *k) {
  size_t most = 0;
  for (int i = 0; i < k->plan->count; i++) {
    const synth_tensor *t = &k->plan->tensors[i];
    size_t rows = t->rows < SYNTH_CHUNK ? (size_t)t->rows : SYNTH_CHUNK, bytes = t->type->bytes((int64_t)rows, t->cols);
    if (bytes > k->bytes_size) k->bytes_size = bytes;
    if (rows * (size_t)t->cols > most) most = rows * (size_t)t->cols;
  }
  k->codes_size = most + SLACK;
  k->values_size = most * sizeof(float);
}

static int fill_tensors(const synth_plan *p, tern_gguf_writer *w, tern_team *team, tern_error *e) {
  work k = {.plan = p, .writer = w, .e = e};
  size_rooms(&k);
  if (p->progress) tern_progress_start(&k.progress, "writing weights", (double)p->chunks);
  tern_team_run(team, job, &k);
  if (p->progress) tern_progress_end(&k.progress);
  return k.failed ? (int)e->status : 0;
}

int tern_synth(const char *path, const tern_synth_shape *shape, const tern_synth_params *params, tern_team *team,
               tern_error *e) {
  synth_plan p;
  tern_gguf_writer *w = NULL;
  int rc = tern_synth_plan(&p, shape, params, e);
  if (rc) goto out;
  if ((rc = tern_gguf_writer_open(&w, path, e))) goto out;
  tern_synth_put_keys(w, &p);
  if ((rc = tern_synth_put_vocabulary(w, p.shape.vocab, e))) goto out;
  for (int i = 0; i < p.count; i++) {
    synth_tensor *t = &p.tensors[i];
    const int64_t dims[2] = {t->cols, t->rows};
    t->index = tern_gguf_put_tensor(w, t->name, t->type, t->dims, dims);
  }
  if ((rc = tern_gguf_writer_start(w, e))) goto out;
  if ((rc = fill_tensors(&p, w, team, e))) goto out;
  rc = tern_gguf_writer_finish(w, e);
  w = NULL;
out:
  tern_gguf_writer_abandon(w);
  free(p.tensors);
  return rc;
}

int tern_synth_bytes(const tern_synth_shape *shape, const tern_synth_params *params, size_t *bytes, tern_error *e) {
  synth_plan p;
  int rc = tern_synth_plan(&p, shape, params, e);
  if (!rc) *bytes = p.bytes;
  free(p.tensors);
  return rc;
}
