/* SentencePiece's precompiled_charsmap: a u32 with the size of a trie, the trie
 * (a double array of darts-clone's u32 units), then the replacements, each ended
 * by NUL. A key's value is the offset of its replacement. Every step is checked
 * against the trie's size: the map comes from a file. */
#include <string.h>

#include "engine/text/tokenizer_parts.h"

static uint32_t unit_at(const uint8_t *map, size_t i) {
  uint32_t unit;
  memcpy(&unit, map + 4 + 4 * i, sizeof unit);
  return unit;
}

static size_t trie_size(const uint8_t *map) {
  uint32_t size;
  memcpy(&size, map, sizeof size);
  return size;
}

bool tern_charsmap_valid(const uint8_t *map, size_t size) {
  if (size < 9) return false;
  size_t trie = trie_size(map);
  return trie >= 4 && trie % 4 == 0 && trie <= size - 5 && map[size - 1] == 0;
}

/* Where a unit's children lie, relative to it. */
static size_t children(uint32_t unit) {
  return (size_t)(unit >> 10) << ((unit & 0x200) >> 6);
}

tern_gguf_string tern_charsmap_find(const tern_normal *n, const uint8_t *text, size_t size, bool longest,
                                    size_t *taken) {
  const uint8_t *map = n->charsmap;
  size_t units = trie_size(map) / 4, node = children(unit_at(map, 0));
  uint32_t value = 0;
  *taken = 0;
  for (size_t i = 0; i < size; i++) {
    node ^= text[i];
    if (node >= units) break;
    uint32_t unit = unit_at(map, node);
    if ((unit & 0x800000ff) != text[i]) break;
    node ^= children(unit);
    if (!(unit & 0x100)) continue; /* no key ends here */
    if (node >= units) break;
    value = unit_at(map, node) & 0x7fffffff;
    *taken = i + 1;
    if (!longest) break;
  }
  const char *texts = (const char *)map + 4 + 4 * units;
  if (value >= n->charsmap_size - 4 - 4 * units) *taken = 0;
  return *taken == 0 ? (tern_gguf_string){"", 0} : (tern_gguf_string){texts + value, strlen(texts + value)};
}
