/* Sessions as files: header, ids, then keys and values (and scales) of each
 * layer and KV head, positions ascending, and a checksum over all of it. The
 * bits of the cache are the file's, so a continuation has the same bits too. A
 * file is of one model: its fingerprint covers shape, gains, angles and rows of
 * every matrix, so that other weights, or weights of other precision, are told
 * apart. Little-endian hosts only. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/random.h"
#include "engine/model/forward.h"

enum { VERSION = 1 };
static const char magic[8] = "TERNSESS";

typedef struct header {
  char magic[8];
  uint32_t version, kv;
  uint32_t layers, kv_heads, head_dim, vocab;
  uint64_t fingerprint;
  uint32_t positions, ids; /* ids: of the whole text; those from `positions` on are not in the cache */
} header;

typedef struct sum {
  uint64_t value;
} sum;

static void add(sum *s, const void *data, size_t size) {
  const uint8_t *p = data;
  for (; size >= sizeof(uint64_t); p += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    s->value = (s->value ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    s->value ^= s->value >> 29;
  }
  uint64_t rest = size;
  memcpy(&rest, p, size);
  s->value = tern_random_mix(s->value ^ rest ^ ((uint64_t)size << 56));
}

static void add_text(sum *s, const char *text) {
  add(s, text, strlen(text));
}

/* First, middle and last row as floats, and how the matrix is computed with. */
static void add_matrix(sum *s, const tern_matrix *m, float *row, void *canonical) {
  if (!m->data) return;
  add_text(s, m->layout->kind == TERN_KIND_TERNARY ? "ternary" : m->layout->name);
  for (int i = 0; i < 3; i++) {
    tern_matrix_row(m, (m->rows - 1) * i / 2, row, canonical);
    add(s, row, (size_t)m->cols * sizeof *row);
  }
}

static int fingerprint(const tern_model *m, uint64_t *out, tern_error *e) {
  const tern_model_facts *f = &m->facts;
  const int sizes[] = {f->layers, f->hidden, f->ffn, f->heads, f->kv_heads, f->head_dim, f->vocab};
  size_t widest = (size_t)f->hidden;
  for (int p = 0; p < TERN_PROJECTIONS; p++) {
    size_t cols = (size_t)m->layers[0].w[p].cols;
    widest = cols > widest ? cols : widest;
  }
  sum s = {0};
  float *row = malloc(widest * sizeof *row);
  void *canonical = malloc(tern_matrix_canonical(widest));
  int rc = row && canonical ? 0 : tern_fail(e, TERN_FAILED, "session file: out of memory");
  if (!rc) {
    add_text(&s, f->arch->name);
    add(&s, sizes, sizeof sizes);
    add(&s, &f->eps, sizeof f->eps);
    add(&s, m->norms, m->norms_bytes);
    for (int i = 0; i < 2 && m->rope[i].rates; i++)
      add(&s, m->rope[i].rates, (size_t)(f->rotated / 2) * sizeof *m->rope[i].rates);
    for (int l = 0; l < f->layers; l++)
      for (int p = 0; p < TERN_PROJECTIONS; p++) add_matrix(&s, &m->layers[l].w[p], row, canonical);
    add_matrix(&s, m->embedding.data ? &m->embedding : &m->head, row, canonical);
    *out = s.value;
  }
  free(row);
  free(canonical);
  return rc;
}

/* A reader or writer of the file's pieces. */
typedef struct stream {
  FILE *file;
  bool writes;
  sum sum;
} stream;

static bool pass(stream *s, void *data, size_t size) {
  if (size == 0) return true;
  size_t done = s->writes ? fwrite(data, 1, size, s->file) : fread(data, 1, size, s->file);
  if (done != size) return false;
  add(&s->sum, data, size);
  return true;
}

static bool pass_cache(stream *s, const tern_session *of, size_t positions) {
  const tern_model_facts *f = &of->workspace->model->facts;
  const tern_kv_cache *c = &of->kv;
  size_t bytes = positions * c->vector_bytes, scales = positions * sizeof(float);
  for (int i = 0; i < f->layers * f->kv_heads; i++) {
    size_t first = (size_t)i * (size_t)of->context;
    if (!pass(s, c->k + first * c->vector_bytes, bytes) || !pass(s, c->v + first * c->vector_bytes, bytes))
      return false;
    if (!c->scale_bytes) continue;
    if (!pass(s, c->k_scale + first, scales) || !pass(s, c->v_scale + first, scales)) return false;
  }
  return true;
}

static header header_of(const tern_session *s, uint64_t print) {
  const tern_model_facts *f = &s->workspace->model->facts;
  header h = {.version = VERSION,
              .kv = (uint32_t)s->kv.type,
              .layers = (uint32_t)f->layers,
              .kv_heads = (uint32_t)f->kv_heads,
              .head_dim = (uint32_t)f->head_dim,
              .vocab = (uint32_t)f->vocab,
              .fingerprint = print};
  memcpy(h.magic, magic, sizeof magic);
  return h;
}

int tern_session_save(const tern_session *s, const char *path, const int32_t *pending, int n, tern_error *e) {
  uint64_t print;
  tern_output *out;
  if (fingerprint(s->workspace->model, &print, e) || tern_output_open(&out, path, e)) return (int)e->status;
  header h = header_of(s, print);
  h.positions = (uint32_t)s->position;
  h.ids = (uint32_t)(s->position + n);
  stream to = {.file = tern_output_stream(out), .writes = true};
  bool fine = pass(&to, &h, sizeof h) && pass(&to, s->ids, (size_t)s->position * sizeof *s->ids) &&
              pass(&to, (void *)(uintptr_t)pending, (size_t)n * sizeof *pending) &&
              pass_cache(&to, s, (size_t)s->position);
  uint64_t checksum = to.sum.value;
  fine = fine && pass(&to, &checksum, sizeof checksum);
  if (fine) return tern_output_commit(out, e);
  tern_fail_errno(e, "%s: cannot write the session", path);
  tern_output_abandon(out);
  return (int)e->status;
}

static int read_header(FILE *f, const char *path, header *h, tern_error *e) {
  if (fread(h, sizeof *h, 1, f) != 1 || memcmp(h->magic, magic, sizeof magic) != 0)
    return tern_fail(e, TERN_FAILED, "%s: not a session file", path);
  if (h->version != VERSION) {
    return tern_fail(e, TERN_FAILED, "%s: session file of version %u, this program reads %d", path, h->version,
                     VERSION);
  }
  if (h->kv < TERN_KV_TYPES && h->ids >= h->positions && h->ids <= INT32_MAX) return 0;
  return tern_fail(e, TERN_FAILED, "%s: session file with a damaged header", path);
}

static FILE *open_file(const char *path, header *h, tern_error *e) {
  FILE *f = fopen(path, "rb");
  if (!f) {
    tern_fail_errno(e, "%s: cannot open", path);
  } else if (read_header(f, path, h, e)) {
    fclose(f);
    return NULL;
  }
  return f;
}

int tern_session_peek(const char *path, tern_session_file_facts *facts, tern_error *e) {
  header h;
  FILE *f = open_file(path, &h, e);
  if (!f) return (int)e->status;
  fclose(f);
  *facts = (tern_session_file_facts){.kv = (tern_kv_type)h.kv, .positions = (int)h.positions, .ids = (int)h.ids};
  return 0;
}

static int check_header(const tern_session *s, const header *h, const char *path, tern_error *e) {
  uint64_t print;
  if (fingerprint(s->workspace->model, &print, e)) return (int)e->status;
  header own = header_of(s, print);
  own.positions = h->positions;
  own.ids = h->ids;
  if (h->kv != own.kv) {
    return tern_fail(e, TERN_FAILED, "%s: session with a KV cache of type %s, not %s: take --kv %s", path,
                     tern_kv_names[h->kv], tern_kv_names[own.kv], tern_kv_names[h->kv]);
  }
  if (memcmp(&own, h, sizeof own) != 0)
    return tern_fail(e, TERN_FAILED, "%s: session of another model, or of the same with other weight types", path);
  if (h->positions <= (uint32_t)s->context) return 0;
  return tern_fail(e, TERN_FAILED, "%s: session of %u positions, more than the context of %d", path, h->positions,
                   s->context);
}

/* Exactly the bytes that the header promises. */
static int check_size(const tern_session *s, const header *h, FILE *f, const char *path, tern_error *e) {
  const tern_model_facts *m = &s->workspace->model->facts;
  size_t vectors = 2 * (size_t)m->layers * (size_t)m->kv_heads * h->positions;
  size_t want = sizeof *h + h->ids * sizeof(int32_t) + vectors * s->kv.vector_bytes + sizeof(uint64_t);
  if (s->kv.scale_bytes) want += vectors * sizeof(float);
  long at = ftell(f), end = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
  if (at < 0 || end < 0 || fseek(f, at, SEEK_SET) != 0) return tern_fail_errno(e, "%s: cannot be read", path);
  if ((size_t)end == want) return 0;
  return tern_fail(e, TERN_FAILED, "%s: session file of %ld bytes, its header says %zu", path, end, want);
}

static int read_body(tern_session *s, const header *h, FILE *f, const char *path, int32_t *ids, tern_error *e) {
  stream from = {.file = f};
  header copy = *h;
  add(&from.sum, &copy, sizeof copy);
  /* in two pieces, as it was written */
  bool fine = pass(&from, ids, h->positions * sizeof *ids) &&
              pass(&from, ids + h->positions, (h->ids - h->positions) * sizeof *ids) &&
              pass_cache(&from, s, h->positions);
  uint64_t checksum = from.sum.value, written = 0;
  if (!fine || !pass(&from, &written, sizeof written)) return tern_fail_errno(e, "%s: cannot be read", path);
  if (checksum != written) return tern_fail(e, TERN_FAILED, "%s: session file is damaged (checksum)", path);
  for (uint32_t i = 0; i < h->ids; i++) {
    if (ids[i] >= 0 && ids[i] < (int32_t)h->vocab) continue;
    return tern_fail(e, TERN_FAILED, "%s: session with token id %d outside the vocabulary of %u", path, ids[i],
                     h->vocab);
  }
  return 0;
}

int tern_session_load(tern_session *s, const char *path, int32_t **ids, int *n, tern_error *e) {
  header h;
  *ids = NULL;
  s->position = 0;
  FILE *f = open_file(path, &h, e);
  if (!f) return (int)e->status;
  int rc = check_header(s, &h, path, e);
  if (!rc) rc = check_size(s, &h, f, path, e);
  int32_t *text = rc ? NULL : malloc(((size_t)h.ids + 1) * sizeof *text);
  if (!rc && !text) rc = tern_fail(e, TERN_FAILED, "%s: not enough memory for %u ids", path, h.ids);
  if (!rc) rc = read_body(s, &h, f, path, text, e);
  fclose(f);
  if (rc) {
    free(text);
    return rc;
  }
  memcpy(s->ids, text, h.positions * sizeof *text);
  s->position = (int)h.positions;
  *ids = text;
  *n = (int)h.ids;
  return 0;
}
