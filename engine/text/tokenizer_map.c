/* The tokenizer's two hash maps: open addressing, linear probing, at most half
 * full, powers of two, filled at load and then only read. */
#include <string.h>

#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"

static size_t slots_for(size_t count) {
  size_t slots = 16;
  while (slots < SIZE_MAX / 4 && slots / 2 < count) slots *= 2;
  return slots;
}

static uint64_t hash_bytes(const uint8_t *bytes, size_t size) {
  uint64_t h = TERN_TEXT_HASH;
  for (size_t i = 0; i < size; i++) h = tern_text_hash(h, bytes[i]);
  return h;
}

int tern_text_map_open(tern_text_map *m, size_t count, tern_error *e) {
  size_t slots = slots_for(count);
  m->slots = tern_alloc(tern_mul(slots, sizeof *m->slots), "the vocabulary's texts", e);
  if (m->slots == NULL) return TERN_FAILED;
  m->mask = slots - 1;
  return TERN_OK;
}

void tern_text_map_close(tern_text_map *m) {
  if (m->slots != NULL) tern_free(m->slots, (m->mask + 1) * sizeof *m->slots);
  m->slots = NULL;
}

/* Slot where these bytes are or would be; the hash is folded, as low bits pick the slot. */
static size_t text_slot(const tern_text_map *m, const tern_tokenizer *t, const void *bytes, size_t size, uint64_t h) {
  for (size_t i = (h ^ h >> 32) & m->mask;; i = (i + 1) & m->mask) {
    if (m->slots[i] == 0) return i;
    tern_gguf_string have = tern_vocab_text(t, (int32_t)(m->slots[i] - 1));
    if (have.size == size && memcmp(have.data, bytes, size) == 0) return i;
  }
}

void tern_text_map_put(tern_text_map *m, const tern_tokenizer *t, int32_t id) {
  tern_gguf_string text = tern_vocab_text(t, id);
  size_t i = text_slot(m, t, text.data, text.size, hash_bytes((const uint8_t *)text.data, text.size));
  if (m->slots[i] == 0) m->slots[i] = (uint32_t)id + 1;
}

int32_t tern_text_map_find_hashed(const tern_text_map *m, const tern_tokenizer *t, const void *bytes, size_t size,
                                  uint64_t hash) {
  return (int32_t)m->slots[text_slot(m, t, bytes, size, hash)] - 1;
}

int32_t tern_text_map_find(const tern_text_map *m, const tern_tokenizer *t, const void *bytes, size_t size) {
  return tern_text_map_find_hashed(m, t, bytes, size, hash_bytes(bytes, size));
}

int tern_pair_map_open(tern_pair_map *m, size_t count, tern_error *e) {
  size_t slots = slots_for(count);
  m->slots = tern_alloc(tern_mul(slots, sizeof *m->slots), "the vocabulary's merges", e);
  if (m->slots == NULL) return TERN_FAILED;
  m->mask = slots - 1;
  m->count = 0;
  for (size_t i = 0; i < slots; i++) m->slots[i].key = UINT64_MAX;
  return TERN_OK;
}

void tern_pair_map_close(tern_pair_map *m) {
  if (m->slots != NULL) tern_free(m->slots, (m->mask + 1) * sizeof *m->slots);
  m->slots = NULL;
}

static int grow(tern_pair_map *m, tern_error *e) {
  tern_pair_map bigger;
  if (tern_pair_map_open(&bigger, m->mask + 1, e) != TERN_OK) return TERN_FAILED;
  for (size_t i = 0; i <= m->mask; i++) {
    if (m->slots[i].key == UINT64_MAX) continue;
    size_t j = tern_pair_hash(m->slots[i].key) & bigger.mask;
    while (bigger.slots[j].key != UINT64_MAX) j = (j + 1) & bigger.mask;
    bigger.slots[j] = m->slots[i];
  }
  bigger.count = m->count;
  tern_pair_map_close(m);
  *m = bigger;
  return TERN_OK;
}

int tern_pair_map_put(tern_pair_map *m, int32_t left, int32_t right, uint32_t rank, int32_t id, tern_error *e) {
  if (m->count >= (m->mask + 1) / 2 && grow(m, e) != TERN_OK) return TERN_FAILED;
  uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  size_t i = tern_pair_hash(key) & m->mask;
  while (m->slots[i].key != UINT64_MAX && m->slots[i].key != key) i = (i + 1) & m->mask;
  if (m->slots[i].key == key) return TERN_OK;
  m->slots[i] = (tern_pair){key, rank, id};
  m->count++;
  return TERN_OK;
}
