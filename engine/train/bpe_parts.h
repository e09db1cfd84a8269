/* Shared by the files of the BPE trainer only: the words of a text with their
 * counts, and the merges made of them. */
#ifndef TERN_TRAIN_BPE_PARTS_H
#define TERN_TRAIN_BPE_PARTS_H

#include <stdint.h>

#include "engine/train/bpe.h"

enum { TERN_BPE_SPECIALS = 2, TERN_BPE_BYTES = 256, TERN_BPE_FIRST = TERN_BPE_SPECIALS + TERN_BPE_BYTES };

typedef struct tern_bpe_word {
  size_t at; /* first symbol */
  int32_t length;
  int32_t count;
} tern_bpe_word;

/* Distinct words; a word's symbols are token ids, of single bytes at first. */
typedef struct tern_bpe_words {
  tern_bpe_word *words;
  size_t count, capacity;
  int32_t *symbols;
  size_t used, room;
  uint32_t *slots; /* open addressing: index + 1 */
  size_t mask;
  size_t bytes, total;
} tern_bpe_words;

int tern_bpe_words_read(tern_bpe_words *w, const char *const *files, int count, const char *pre, tern_error *e);
void tern_bpe_words_close(tern_bpe_words *w);

typedef struct tern_bpe_merge {
  int32_t left, right, id;
} tern_bpe_merge;

typedef struct tern_bpe_vocabulary {
  char **text;           /* [tokens] GPT-2's printable form */
  tern_bpe_merge *merge; /* [merges] */
  int tokens, merges, capacity;
} tern_bpe_vocabulary;

/* Id of a byte: the 256 bytes in the order of their printable characters. */
int32_t tern_bpe_byte_id(uint8_t byte);

int tern_bpe_merge_words(tern_bpe_vocabulary *v, tern_bpe_words *w, const tern_bpe_params *p, tern_error *e);
void tern_bpe_vocabulary_close(tern_bpe_vocabulary *v);

#endif
