/* Byte-pair merging: the adjacent pair of lowest rank merges first, leftmost on
 * ties. A linked list of symbols and a heap of candidates make n symbols cost
 * n log n, so a megabyte without a blank is no trap. A heap entry is stale when
 * its node's rank has changed since, and is then skipped. */
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"

int tern_merger_reserve(tern_merger *m, size_t nodes, tern_error *e) {
  if (nodes <= m->capacity) return TERN_OK;
  size_t capacity = m->capacity < 256 ? 256 : m->capacity;
  while (capacity < nodes) capacity *= 2;
  tern_merger_close(m);
  m->nodes = malloc(tern_mul(capacity, sizeof *m->nodes));
  m->heap = malloc(tern_mul(capacity, 3 * sizeof *m->heap)); /* a pair each, and two more each merge */
  if (m->nodes == NULL || m->heap == NULL) {
    tern_merger_close(m);
    return tern_fail(e, TERN_FAILED, "not enough memory to tokenize a word of %zu symbols", nodes);
  }
  m->capacity = capacity;
  return TERN_OK;
}

void tern_merger_close(tern_merger *m) {
  free(m->nodes);
  free(m->heap);
  *m = (tern_merger){0};
}

static void push(tern_merger *m, uint64_t entry) {
  size_t i = m->heap_count++;
  for (size_t up; i > 0 && m->heap[up = (i - 1) / 2] > entry; i = up) m->heap[i] = m->heap[up];
  m->heap[i] = entry;
}

static uint64_t pop(tern_merger *m) {
  uint64_t top = m->heap[0], last = m->heap[--m->heap_count];
  size_t i = 0, n = m->heap_count;
  for (size_t down; (down = 2 * i + 1) < n; i = down) {
    if (down + 1 < n && m->heap[down + 1] < m->heap[down]) down++;
    if (m->heap[down] >= last) break;
    m->heap[i] = m->heap[down];
  }
  m->heap[i] = last;
  return top;
}

/* Looks up the merge of node i with its successor and makes it a candidate. */
static void consider(tern_merger *m, const tern_pair_map *pairs, int32_t i) {
  tern_node *node = &m->nodes[i];
  node->rank = TERN_RANK_NONE;
  if (node->next < 0 || node->id < 0 || m->nodes[node->next].id < 0) return;
  const tern_pair *pair = tern_pair_map_find(pairs, node->id, m->nodes[node->next].id);
  if (pair == NULL) return;
  node->rank = pair->rank;
  node->merged = pair->id;
  push(m, (uint64_t)pair->rank << 32 | (uint32_t)i);
}

void tern_merger_run(tern_merger *m, const tern_pair_map *pairs, int32_t n) {
  m->heap_count = 0;
  for (int32_t i = 0; i < n; i++) {
    m->nodes[i].previous = i - 1;
    m->nodes[i].next = i + 1 < n ? i + 1 : -1;
  }
  for (int32_t i = 0; i < n; i++) consider(m, pairs, i);
  while (m->heap_count > 0) {
    uint64_t entry = pop(m);
    int32_t i = (int32_t)(entry & 0xffffffff);
    tern_node *node = &m->nodes[i];
    if (node->rank != entry >> 32) continue;
    tern_node *gone = &m->nodes[node->next];
    gone->rank = TERN_RANK_NONE;
    node->id = node->merged;
    node->next = gone->next;
    if (gone->next >= 0) m->nodes[gone->next].previous = i;
    consider(m, pairs, i);
    if (node->previous >= 0) consider(m, pairs, node->previous);
  }
}
