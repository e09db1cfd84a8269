/* Conversion: keys are taken over, each tensor gets its type, rows go through
 * canonical form (codes with scales, or floats) in chunks over the team. A
 * tensor that keeps a type which only its bytes can say is copied whole. */
#include "engine/format/convert.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/format/convert_rows.h"
#include "engine/format/gguf_private.h"
#include "engine/format/view.h"

enum { CHUNK = 64 }; /* rows; a multiple of 32 keeps I2_S in whole blocks */

typedef struct target {
  const tern_gguf_tensor *t;
  const tern_dtype *type;
  int index; /* in the writer */
} target;

typedef struct conversion {
  const tern_gguf *in;
  const tern_convert_params *p;
  tern_i2s order;
  tern_gguf_writer *w;
  tern_team *team;
  target *targets;
  int count;
} conversion;

static bool stored_as_gguf(const tern_gguf_tensor *t) {
  return tern_dtype_by_id(t->type->id) == t->type;
}

/* The type that is closest to how a tensor lies. */
static const tern_dtype *kept_type(const tern_gguf_tensor *t) {
  if (t->type->ternary && !stored_as_gguf(t)) return tern_dtype_by_id(TERN_DISK_I2_S);
  if (!stored_as_gguf(t)) return tern_dtype_by_name(t->type->name); /* a view's name is its stored type's */
  return t->type;
}

static const tern_dtype *wanted_type(const conversion *k, const tern_gguf_tensor *t) {
  bool head = strcmp(t->name, "token_embd.weight") == 0 || strcmp(t->name, "output.weight") == 0;
  const tern_dtype *chosen = tern_tensor_is_projection(t) ? k->p->type : head ? k->p->head : NULL;
  if (chosen) return chosen;
  /* Gains and biases are f32 in GGUF files: readers expect it. */
  return t->dims == 1 && !t->type->ternary ? tern_dtype_by_id(TERN_DISK_F32) : kept_type(t);
}

static bool copies(const conversion *k, const target *a) {
  return a->type == a->t->type && !(a->type->id == TERN_DISK_I2_S && k->order != TERN_I2S_128);
}

static int check_target(const conversion *k, const target *a, tern_error *e) {
  const char *file = tern_gguf_name(k->in);
  int64_t rows = tern_tensor_rows(a->t), cols = a->t->shape[0];
  if (!copies(k, a) && !a->type->put_codes && !a->type->put_floats) {
    return tern_fail(e, TERN_FAILED, "%s: type %s is read, not written; take f16, bf16, f32 or q8_0", file,
                     a->type->name);
  }
  if (cols % a->type->block == 0 && a->type->bytes(rows, cols) != SIZE_MAX) return 0;
  return tern_fail(e, TERN_FAILED, "%s: %s is %lld x %lld, which type %s cannot hold; take another (f16 holds all)",
                   file, a->t->name, (long long)rows, (long long)cols, a->type->name);
}

static int choose_targets(conversion *k, tern_error *e) {
  k->count = tern_gguf_tensor_count(k->in);
  k->targets = calloc((size_t)k->count + 1, sizeof *k->targets);
  if (!k->targets) return tern_fail(e, TERN_FAILED, "%s: out of memory", tern_gguf_name(k->in));
  for (int i = 0; i < k->count; i++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_at(k->in, i);
    k->targets[i] = (target){.t = t, .type = wanted_type(k, t)};
    if (check_target(k, &k->targets[i], e)) return TERN_FAILED;
  }
  return 0;
}

static bool key_is(tern_gguf_string key, const char *text) {
  return key.size == strlen(text) && memcmp(key.data, text, key.size) == 0;
}

static bool key_starts(tern_gguf_string key, const char *text) {
  return key.size >= strlen(text) && memcmp(key.data, text, strlen(text)) == 0;
}

static int put_keys(const conversion *k, tern_error *e) {
  static const char *const own[] = {"general.alignment", "general.file_type", "ternmark.i2s_layout",
                                    "ternmark.tokenizer"};
  int64_t vocab = 0;
  for (int i = 0; i < tern_gguf_key_count(k->in); i++) {
    tern_gguf_string key = tern_gguf_key_at(k->in, i);
    bool dropped =
        (k->p->name && key_is(key, "general.name")) || (k->p->put_vocabulary && key_starts(key, "tokenizer.ggml."));
    for (size_t n = 0; n < sizeof own / sizeof *own; n++) dropped |= key_is(key, own[n]);
    if (!dropped) tern_gguf_put_key(k->w, k->in, i);
  }
  if (k->p->name) tern_gguf_put_text(k->w, "general.name", k->p->name);
  bool i2s = false;
  for (int i = 0; i < k->count; i++) {
    i2s |= k->targets[i].type->id == TERN_DISK_I2_S;
    if (strcmp(k->targets[i].t->name, "token_embd.weight") == 0) vocab = k->targets[i].t->shape[1];
  }
  if (i2s) tern_gguf_put_text(k->w, "ternmark.i2s_layout", "128");
  if (k->p->put_vocabulary) return k->p->put_vocabulary(k->p->arg, k->w, vocab, e);
  if (!tern_gguf_has(k->in, "tokenizer.ggml.model")) tern_gguf_put_text(k->w, "tokenizer.ggml.model", "no_vocab");
  return 0;
}

/* One tensor's rows, chunk by chunk over the team. */
typedef struct work {
  const conversion *k;
  const target *a;
  const tern_coded *coded; /* NULL: floats */
  float scale;             /* of all rows, where the type has one a tensor */
  atomic_int next, failed;
  tern_error *e;
} work;

typedef struct room {
  float *values;
  uint8_t *bytes;
  size_t values_size, bytes_size;
} room;

static void encode(const work *j, room *r, int row0, int count) {
  const tern_dtype *type = j->a->type;
  const tern_gguf_tensor *t = j->a->t;
  int cols = (int)t->shape[0];
  if (!j->coded) {
    for (int i = 0; i < count; i++) {
      t->type->row_floats(t->data, tern_tensor_rows(t), cols, row0 + i, j->k->order,
                          r->values + (size_t)i * (size_t)cols);
    }
    type->put_floats(r->bytes, count, cols, 0, count, r->values);
    return;
  }
  const int8_t *codes = j->coded->codes + (size_t)row0 * (size_t)cols;
  if (type->tail) {
    type->put_codes(r->bytes, count, cols, 0, count, codes, j->scale);
    return;
  }
  for (int i = 0; i < count; i++) {
    type->put_codes(r->bytes, count, cols, i, 1, codes + (size_t)i * (size_t)cols, j->coded->scales[row0 + i]);
  }
}

static void write_chunks(void *arg, int member, int size) {
  work *j = arg;
  const tern_dtype *type = j->a->type;
  int rows = tern_tensor_rows(j->a->t), cols = (int)j->a->t->shape[0], most = rows < CHUNK ? rows : CHUNK, rc = 0;
  tern_error e;
  room r = {.values_size = j->coded ? 1 : tern_mul((size_t)most * sizeof(float), (size_t)cols),
            .bytes_size = type->bytes(most, cols)};
  (void)member, (void)size;
  r.values = tern_alloc(r.values_size, "rows", &e);
  r.bytes = r.values ? tern_alloc(r.bytes_size, "rows", &e) : NULL;
  if (!r.bytes) rc = TERN_FAILED;
  while (!rc && !atomic_load(&j->failed)) {
    int row0 = atomic_fetch_add(&j->next, CHUNK);
    if (row0 >= rows) break;
    int count = rows - row0 < CHUNK ? rows - row0 : CHUNK;
    rc = tern_interrupt_check(&e);
    if (rc) break;
    encode(j, &r, row0, count);
    size_t bytes = type->bytes(count, cols), offset = type->bytes(row0, cols) - type->tail;
    if (row0 + count < rows) bytes -= type->tail; /* the tensor's tail comes once, with the last chunk */
    rc = tern_gguf_writer_data(j->k->w, j->a->index, offset, r.bytes, bytes, &e);
  }
  tern_free(r.values, r.values_size);
  tern_free(r.bytes, r.bytes_size);
  if (rc && !atomic_exchange(&j->failed, 1)) *j->e = e;
}

static int check_scales(const conversion *k, const target *a, const tern_coded *c, float *scale, tern_error *e) {
  bool one = tern_coded_one_scale(c, scale);
  if (one || !a->type->tail) return 0;
  return tern_fail(e, TERN_FAILED,
                   "%s: tensor %s: its rows have scales of their own, type %s has one a tensor; take tq2_0, q2_0 or "
                   "iq2_bn",
                   tern_gguf_name(k->in), a->t->name, a->type->name);
}

static int convert_tensor(const conversion *k, const target *a, tern_error *e) {
  if (copies(k, a)) return tern_gguf_writer_data(k->w, a->index, 0, a->t->data, a->t->bytes, e);
  tern_coded coded = {0};
  work j = {.k = k, .a = a, .e = e};
  if (a->type->put_codes) {
    int rc = tern_coded_read(&coded, k->in, a->t, k->order, k->p->absmean, k->team, e);
    if (!rc) rc = check_scales(k, a, &coded, &j.scale, e);
    if (rc) {
      tern_coded_free(&coded);
      return rc;
    }
    j.coded = &coded;
  }
  tern_team_run(k->team, write_chunks, &j);
  tern_coded_free(&coded);
  return j.failed ? (int)e->status : 0;
}

static int convert_tensors(const conversion *k, tern_error *e) {
  tern_progress bar;
  double done = 0;
  int rc = 0;
  if (k->p->progress) tern_progress_start(&bar, "converting", (double)tern_gguf_size(k->in));
  for (int i = 0; i < k->count && !rc; i++) {
    rc = convert_tensor(k, &k->targets[i], e);
    tern_gguf_tensor_done(k->in, k->targets[i].t);
    done += (double)k->targets[i].t->bytes;
    if (k->p->progress) tern_progress_update(&bar, done);
    if (!rc) rc = tern_interrupt_check(e);
  }
  if (k->p->progress) tern_progress_end(&bar);
  return rc;
}

int tern_convert(const tern_gguf *in, const char *out, const tern_convert_params *p, tern_team *team, tern_error *e) {
  conversion k = {.in = in, .p = p, .team = team, .order = p->i2s ? p->i2s : tern_gguf_i2s_order(in)};
  int rc = choose_targets(&k, e);
  if (!rc) rc = tern_gguf_writer_open(&k.w, out, e);
  if (!rc) rc = put_keys(&k, e);
  for (int i = 0; i < k.count && !rc; i++) {
    target *a = &k.targets[i];
    a->index = tern_gguf_put_tensor(k.w, a->t->name, a->type, a->t->dims, a->t->shape);
  }
  if (!rc) rc = tern_gguf_writer_start(k.w, e);
  if (!rc) rc = convert_tensors(&k, e);
  if (!rc) {
    rc = tern_gguf_writer_finish(k.w, e);
    k.w = NULL;
  }
  tern_gguf_writer_abandon(k.w);
  free(k.targets);
  return rc;
}
