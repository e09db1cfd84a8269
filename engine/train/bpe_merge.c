/* Merging: the most frequent pair becomes a token, the pairs around it are
 * counted anew, until the vocabulary is full. Ties go to the pair of lower ids.
 * Same results as Hugging Face's BpeTrainer, whose book-keeping this follows:
 * a queue of pairs with the words they were seen in, counts corrected when a
 * pair comes up; a merge takes only the words of its entry. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"
#include "engine/train/bpe_parts.h"

typedef struct places { /* words, each once */
  uint32_t *at;
  size_t count, capacity;
} places;

typedef struct pair_count {
  uint64_t key; /* left << 32 | right */
  int64_t count;
  places fresh; /* where it came up since it was last queued */
  bool touched;
} pair_count;

typedef struct entry {
  int64_t count;
  uint64_t key;
  places where;
} entry;

typedef struct merger {
  tern_bpe_words *w;
  pair_count *pairs;
  size_t pair_total, pair_room;
  uint32_t *slots; /* index + 1 */
  size_t mask;
  uint32_t *touched; /* pairs with fresh places */
  size_t touched_count, touched_room;
  entry *heap;
  size_t heap_count, heap_room;
  bool failed; /* out of memory */
} merger;

static void *more(merger *m, void *old, size_t *room, size_t need, size_t element) {
  if (need <= *room) return old;
  const size_t capacity = 2 * need + 16;
  void *grown = realloc(old, tern_mul(capacity, element));
  if (!grown) {
    m->failed = true;
    return old;
  }
  *room = capacity;
  return grown;
}

static void index_pairs(merger *m, size_t slots) {
  uint32_t *to = calloc(slots, sizeof *to);
  if (!to) {
    m->failed = true;
    return;
  }
  for (size_t i = 0; i < m->pair_total; i++) {
    size_t at = tern_pair_hash(m->pairs[i].key) & (slots - 1);
    while (to[at]) at = (at + 1) & (slots - 1);
    to[at] = (uint32_t)i + 1;
  }
  free(m->slots);
  m->slots = to;
  m->mask = slots - 1;
}

/* Index of the pair, added when new. */
static size_t pair_of(merger *m, int32_t left, int32_t right) {
  const uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  if (2 * m->pair_total >= m->mask) index_pairs(m, 2 * (m->mask + 1));
  size_t at = tern_pair_hash(key) & m->mask;
  for (; m->slots[at]; at = (at + 1) & m->mask) {
    if (m->pairs[m->slots[at] - 1].key == key) return m->slots[at] - 1;
  }
  m->pairs = more(m, m->pairs, &m->pair_room, m->pair_total + 1, sizeof *m->pairs);
  if (m->failed) return 0;
  m->pairs[m->pair_total] = (pair_count){.key = key};
  m->slots[at] = (uint32_t)++m->pair_total;
  return m->pair_total - 1;
}

static void change(merger *m, int32_t left, int32_t right, int64_t by, uint32_t word) {
  const size_t i = pair_of(m, left, right);
  if (m->failed) return;
  pair_count *p = &m->pairs[i];
  p->count += by;
  if (by < 0) return;
  if (p->fresh.count && p->fresh.at[p->fresh.count - 1] == word) return;
  p->fresh.at = more(m, p->fresh.at, &p->fresh.capacity, p->fresh.count + 1, sizeof *p->fresh.at);
  if (m->failed) return;
  p->fresh.at[p->fresh.count++] = word;
  if (p->touched) return;
  m->touched = more(m, m->touched, &m->touched_room, m->touched_count + 1, sizeof *m->touched);
  if (m->failed) return;
  p->touched = true;
  m->touched[m->touched_count++] = (uint32_t)i;
}

static bool before(const entry *a, const entry *b) {
  return a->count != b->count ? a->count > b->count : a->key < b->key;
}

static void push(merger *m, entry e) {
  m->heap = more(m, m->heap, &m->heap_room, m->heap_count + 1, sizeof *m->heap);
  if (m->failed) {
    free(e.where.at);
    return;
  }
  size_t i = m->heap_count++;
  for (; i > 0 && before(&e, &m->heap[(i - 1) / 2]); i = (i - 1) / 2) m->heap[i] = m->heap[(i - 1) / 2];
  m->heap[i] = e;
}

static entry pop(merger *m) {
  const entry top = m->heap[0], last = m->heap[--m->heap_count];
  size_t i = 0;
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= m->heap_count) break;
    if (child + 1 < m->heap_count && before(&m->heap[child + 1], &m->heap[child])) child++;
    if (!before(&m->heap[child], &last)) break;
    m->heap[i] = m->heap[child];
    i = child;
  }
  m->heap[i] = last;
  return top;
}

/* Queues the pairs that came up. */
static void queue_touched(merger *m) {
  for (size_t i = 0; i < m->touched_count; i++) {
    pair_count *p = &m->pairs[m->touched[i]];
    if (p->count > 0)
      push(m, (entry){.count = p->count, .key = p->key, .where = p->fresh});
    else
      free(p->fresh.at);
    p->fresh = (places){0};
    p->touched = false;
  }
  m->touched_count = 0;
}

static void merge_word(merger *m, uint32_t index, int32_t left, int32_t right, int32_t id) {
  tern_bpe_word *word = &m->w->words[index];
  int32_t *s = m->w->symbols + word->at;
  for (int32_t i = 0; i + 1 < word->length; i++) {
    if (s[i] != left || s[i + 1] != right) continue;
    if (i > 0) {
      change(m, s[i - 1], left, -word->count, index);
      change(m, s[i - 1], id, word->count, index);
    }
    s[i] = id;
    word->length--;
    memmove(s + i + 1, s + i + 2, (size_t)(word->length - i - 1) * sizeof *s);
    if (i + 1 < word->length) {
      change(m, right, s[i + 1], -word->count, index);
      change(m, id, s[i + 1], word->count, index);
    }
  }
}

static int32_t find_token(const tern_bpe_vocabulary *v, const char *text) {
  for (int32_t i = 0; i < v->tokens; i++) {
    if (strcmp(v->text[i], text) == 0) return i;
  }
  return -1;
}

/* Token of two together, which may be one already; -1: out of memory. */
static int32_t join(tern_bpe_vocabulary *v, int32_t left, int32_t right) {
  const size_t a = strlen(v->text[left]), b = strlen(v->text[right]);
  char *text = malloc(a + b + 1);
  if (!text) return -1;
  memcpy(text, v->text[left], a);
  memcpy(text + a, v->text[right], b + 1);
  int32_t id = find_token(v, text);
  if (id >= 0)
    free(text);
  else
    v->text[id = v->tokens++] = text;
  return id;
}

static int start_vocabulary(tern_bpe_vocabulary *v, int capacity, tern_error *e) {
  static const char *const specials[] = {"<|begin_of_text|>", "<|end_of_text|>"};
  *v = (tern_bpe_vocabulary){.text = calloc((size_t)capacity, sizeof *v->text), .capacity = capacity};
  if (!v->text) return tern_fail(e, TERN_FAILED, "vocabulary: out of memory");
  for (int i = 0; i < TERN_BPE_SPECIALS; i++) v->text[i] = strdup(specials[i]);
  for (int b = 0; b < 256; b++) {
    const uint8_t byte = (uint8_t)b;
    char text[3] = "";
    text[tern_byte_text_write(&byte, 1, text)] = 0;
    v->text[tern_bpe_byte_id(byte)] = strdup(text);
  }
  for (v->tokens = 0; v->tokens < TERN_BPE_FIRST; v->tokens++) {
    if (!v->text[v->tokens]) return tern_fail(e, TERN_FAILED, "vocabulary: out of memory");
  }
  return TERN_OK;
}

static bool put_merge(tern_bpe_vocabulary *v, tern_bpe_merge merge) {
  tern_bpe_merge *grown = realloc(v->merge, ((size_t)v->merges + 1) * sizeof *grown);
  if (!grown) return false;
  v->merge = grown;
  v->merge[v->merges++] = merge;
  return true;
}

static void merge_all(merger *m, tern_bpe_vocabulary *v, const tern_bpe_params *p) {
  while (v->tokens < p->vocab && m->heap_count && !m->failed) {
    entry top = pop(m);
    const int32_t left = (int32_t)(top.key >> 32), right = (int32_t)(uint32_t)top.key;
    const int64_t now = m->pairs[pair_of(m, left, right)].count;
    if (top.count != now) {
      top.count = now;
      push(m, top);
      continue;
    }
    const bool rare = now < 1 || now < p->min_count;
    const int32_t id = rare ? 0 : join(v, left, right);
    if (id < 0 || (!rare && !put_merge(v, (tern_bpe_merge){left, right, id}))) m->failed = true;
    for (size_t i = 0; i < top.where.count && !rare && !m->failed; i++) merge_word(m, top.where.at[i], left, right, id);
    free(top.where.at);
    if (rare) return;
    queue_touched(m);
  }
}

int tern_bpe_merge_words(tern_bpe_vocabulary *v, tern_bpe_words *w, const tern_bpe_params *p, tern_error *e) {
  merger m = {.w = w};
  if (start_vocabulary(v, p->vocab, e) != TERN_OK) return TERN_FAILED;
  index_pairs(&m, 1 << 12);
  for (size_t i = 0; i < w->count && !m.failed; i++) {
    const int32_t *s = w->symbols + w->words[i].at;
    for (int32_t k = 0; k + 1 < w->words[i].length && !m.failed; k++)
      change(&m, s[k], s[k + 1], w->words[i].count, (uint32_t)i);
  }
  queue_touched(&m);
  merge_all(&m, v, p);
  for (size_t i = 0; i < m.heap_count; i++) free(m.heap[i].where.at);
  for (size_t i = 0; i < m.pair_total; i++) free(m.pairs[i].fresh.at);
  free(m.heap);
  free(m.pairs);
  free(m.slots);
  free(m.touched);
  return m.failed ? tern_fail(e, TERN_FAILED, "merging pairs: out of memory") : TERN_OK;
}

void tern_bpe_vocabulary_close(tern_bpe_vocabulary *v) {
  for (int i = 0; v->text && i < v->capacity; i++) free(v->text[i]);
  free(v->text);
  free(v->merge);
  *v = (tern_bpe_vocabulary){0};
}
