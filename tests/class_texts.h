/* Generated texts that mix every class of characters that some pre-tokenizer
 * tells apart. Changing them changes the hashes of those who use them. */
#ifndef TERN_TESTS_CLASS_TEXTS_H
#define TERN_TESTS_CLASS_TEXTS_H

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/random.h"
#include "engine/text/tokenizer.h"

enum { TEXTS = 400, ITEMS = 16, POOLS = 10, TEXT_BYTES = 1024 };

/* Of every class that some pattern tells apart. */
static const char *const pools[POOLS][ITEMS] = {
    {"a", "b", "c", "X", "Y", "Z", "word", "Hello"},
    {"0", "1", "23", "4567", "8", "99", "000"},
    {" ", "  ", "\t", "\v", "     "},
    {".", ",", "!", "?", "-", "_", "/", "(", ")", "<", ">", "=", "^", "~", "|", "`"},
    {"$", "+", "@", "#", "%", "&", "*", "[", "]", "{", "}", "\\", ":", ";", "\"", "<="},
    {"'s", "'T", "'re", "'LL", "'ve", "'d", "'", "''m"},
    {"\xc3\xa9", "\xc3\x9f", "\xc2\xb5", "\xca\x94", "\xcd\xb0", "\xd0\xaf", "\xd4\xb1", "\xe1\x83\x90", "\xe1\x8e\xa0",
     "\xe1\xb8\x80"},
    {"\xe6\x97\xa5\xe6\x9c\xac", "\xe4\xb8\xad", "\xed\x95\x9c", "\xe3\x81\xb2", "\xe3\x82\xab", "\xe3\x80\x82",
     "\xef\xbc\x8c", "\xe2\x80\x9c", "\xef\xbc\x81"},
    {"\xd9\xa3", "\xe0\xa5\xab", "\xc2\xb2", "\xc2\xbd", "\xe2\x85\xa7"},
    {"\xf0\x9f\x99\x82", "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", "\xcc\x81", "\xe0\xb8\xb4", "\xe2\x82\xac", "\xe2\x88\x91",
     "\xc2\xa0"},
};

static inline uint64_t draw(uint64_t text, uint64_t i) {
  return tern_random_at(17, text, i) >> 20;
}

static inline size_t make_text(int k, char *out) {
  size_t n = 0, parts = 1 + draw((uint64_t)k, 0) % 40;
  for (size_t i = 0; i < parts; i++) {
    const char *const *pool = pools[draw((uint64_t)k, 2 * i + 1) % POOLS];
    size_t items = 0;
    while (items < ITEMS && pool[items]) items++;
    n += (size_t)snprintf(out + n, TEXT_BYTES - n, "%s", pool[draw((uint64_t)k, 2 * i + 2) % items]);
  }
  return n;
}

/* FNV-1a over all ids of all texts, no specials; 0 when encoding failed. */
static inline uint64_t hash_of_ids(const tern_tokenizer *t, tern_error *e) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (int k = 0; k < TEXTS; k++) {
    char text[TEXT_BYTES];
    int32_t *ids;
    size_t count, n = make_text(k, text);
    if (tern_tokenizer_encode(t, text, n, false, &ids, &count, e)) return 0;
    for (size_t i = 0; i < count; i++) h = (h ^ (uint32_t)ids[i]) * UINT64_C(0x100000001b3);
    h = (h ^ UINT64_C(0xffffffff)) * UINT64_C(0x100000001b3);
    free(ids);
  }
  return h;
}

#endif
