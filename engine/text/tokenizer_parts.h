/* What the tokenizer's files share: the vocabulary, the two hash maps, the
 * merge loop. Built once by a loader, immutable afterwards, so that any number
 * of threads may encode with one tokenizer. */
#ifndef TERN_TEXT_TOKENIZER_PARTS_H
#define TERN_TEXT_TOKENIZER_PARTS_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/text/tokenizer.h"
#include "engine/text/utf8.h"

enum { TERN_TOKEN_LIMIT = 4096 }; /* bytes of one token; bounds the work a hostile vocabulary can cause */

/* tokenizer.ggml.token_type. */
typedef enum tern_token_type {
  TERN_TOKEN_NORMAL = 1,
  TERN_TOKEN_UNKNOWN = 2,
  TERN_TOKEN_CONTROL = 3,
  TERN_TOKEN_USER = 4,
  TERN_TOKEN_UNUSED = 5,
  TERN_TOKEN_BYTE = 6
} tern_token_type;

/* Token bytes -> id, open addressing; a slot holds id + 1. */
typedef struct tern_text_map {
  uint32_t *slots;
  size_t mask;
} tern_text_map;

/* (left id, right id) -> merged id and its rank (lowest merges first). */
typedef struct tern_pair {
  uint64_t key; /* left << 32 | right; UINT64_MAX: empty */
  uint32_t rank;
  int32_t id;
} tern_pair;
typedef struct tern_pair_map {
  tern_pair *slots;
  size_t mask, count;
} tern_pair_map;

/* Unicode's White_Space, for within brackets; PCRE2's \s also takes U+180E. */
#define TERN_PRE_SPACE "\\t-\\r\\x{85}\\p{Z}"
/* Words of GPT-2, which are also those of tokenizer.json's ByteLevel. */
#define TERN_PRE_GPT2                                                                                                  \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" TERN_PRE_SPACE "\\p{L}\\p{N}]+|[" TERN_PRE_SPACE                  \
  "]+(?![^" TERN_PRE_SPACE "])|[" TERN_PRE_SPACE "]+"

enum { TERN_PRE_NAMES = 12, TERN_PRE_STAGES = 6 };

/* Pre-tokenizer: how text falls into words. Each stage cuts what the stage
 * before left into its matches and what lies between them, seeing nothing
 * beyond that piece. */
typedef struct tern_pre {
  const char *names[TERN_PRE_NAMES]; /* tokenizer.ggml.pre */
  const char *stages[TERN_PRE_STAGES];
  bool whole_words; /* a word that is a token is taken without merging */
  bool adds_bos;    /* where the file has no add_bos_token */
} tern_pre;

/* What happens to text before it is encoded, in this order. */
typedef struct tern_normal {
  int form;                /* utf8proc's options of a Unicode normal form; 0: none */
  const uint8_t *charsmap; /* SentencePiece's precompiled map; NULL: none; owned */
  size_t charsmap_size;
  bool graphemes;               /* the map sees whole graphemes first, as Hugging Face applies it */
  bool strip_left, strip_right; /* blanks at the ends go ... */
  bool whole_text;              /* ... of the text; else of each fragment between specials */
  bool collapse;                /* runs of blanks become one */
  bool white_words;             /* any white space counts as such a blank */
} tern_normal;

/* What a special token takes with it, as tokenizer.json says. */
typedef enum tern_reach {
  TERN_REACH_LEFT = 1,  /* white space before it */
  TERN_REACH_RIGHT = 2, /* white space after it */
  TERN_REACH_WORD = 4   /* nothing: but it must not touch letters or digits */
} tern_reach;

struct tern_tokenizer {
  bool bytes;       /* byte-level BPE; else SentencePiece pieces */
  bool unigram;     /* pieces by the best sum of scores; else by merging */
  bool float_paths; /* ... sums rounded to float, as SentencePiece itself does */
  tern_normal normal;
  const tern_pre *pre; /* byte-level only */
  tern_pre own;        /* what pre points to when the file brings its own patterns */
  char *own_stages[TERN_PRE_STAGES];
  pcre2_code *stages[TERN_PRE_STAGES];
  int stage_count;
  bool adds_bos, adds_eos;
  bool space_prefix;       /* pieces: a blank before the text ... */
  bool prefix_once;        /* ... not after specials */
  bool prefix_missing;     /* ... not where it starts with one */
  bool blank_starts_piece; /* no piece has a blank after a non-blank: words merge alone */
  bool word_each_blank;    /* every blank starts a word */
  bool fuse_unknown;       /* unknown tokens in a row are one */
  int longest;             /* bytes of the longest text that merging can give */
  double unknown_score;    /* unigram: of a character that no piece holds */
  double user_score;       /* unigram: of a user-defined piece's byte */
  int size;
  int32_t bos, eos, eot, unknown; /* -1: none */
  uint8_t *pool;                  /* bytes of all tokens, one after the other */
  size_t *at;                     /* [size + 1] offsets in pool */
  uint8_t *type;                  /* [size] tern_token_type */
  double *score;                  /* [size], pieces only */
  uint8_t *reach;                 /* [size] tern_reach bits; NULL: none has any */
  bool *ends;                     /* [size] */
  int32_t byte_id[256];           /* token of a lone byte; -1: none */
  tern_text_map texts;            /* tokens that text can become by merging */
  tern_text_map specials;         /* control and user-defined tokens */
  int *special_lengths;           /* distinct lengths of specials, falling */
  int special_length_count;
  bool special_first[256]; /* whether a special starts with this byte */
  tern_pair_map pairs;
};

/* ---- vocabulary (tokenizer.c) */

/* Starts a tokenizer of `size` tokens whose bytes sum to at most pool_size. */
int tern_vocab_open(tern_tokenizer **out, int size, size_t pool_size, bool pieces, tern_error *e);
/* Tokens are put in order 0, 1, ... */
void tern_vocab_put(tern_tokenizer *t, int32_t id, const void *bytes, size_t size, int type);
/* Builds the maps and end marks once all tokens are put and bos, eos, eot are
 * set. `where` names the file in errors. */
int tern_vocab_finish(tern_tokenizer *t, const char *where, tern_error *e);
/* Sets unigram and the scores it needs, from the normal tokens'. */
void tern_vocab_unigram(tern_tokenizer *t);
/* Adds every way to put a token together from two others, as tiktoken and
 * SentencePiece merge. ranks: [size], lowest first; NULL: the ids. */
int tern_vocab_pair_splits(tern_tokenizer *t, const uint32_t *ranks, tern_error *e);
/* Ranks from scores: highest first, equal scores share one. malloc'ed. */
uint32_t *tern_vocab_ranks(const tern_tokenizer *t, tern_error *e);

static inline tern_gguf_string tern_vocab_text(const tern_tokenizer *t, int32_t id) {
  return (tern_gguf_string){(const char *)t->pool + t->at[id], t->at[id + 1] - t->at[id]};
}

/* Puts a token as GGUF and tokenizer.json write it: byte-level text in GPT-2's
 * printable form, pieces with U+2581 for a blank, "<0xNN>" for a byte. scratch
 * takes text.size bytes. */
void tern_vocab_put_text(tern_tokenizer *t, int32_t id, tern_gguf_string text, int type, uint8_t *scratch);
/* And back: out takes three bytes for each and six more; returns the length. */
size_t tern_vocab_write_text(const tern_tokenizer *t, int32_t id, char *out);
/* A merge of two tokens written likewise; one that can never apply is left out. */
int tern_vocab_put_merge(tern_tokenizer *t, tern_gguf_string left, tern_gguf_string right, uint32_t rank,
                         tern_error *e);

/* The row with the same stages, or NULL. */
const tern_pre *tern_pre_match(const tern_pre *p);
/* Row of that name, the row for a vocabulary without a (useful) name, by i. */
const tern_pre *tern_pre_find(tern_gguf_string name);
const tern_pre *tern_pre_guess(const tern_tokenizer *t);

/* Names of LLaMA-3's special token i, 0..255, in its 256-token tail. */
int tern_llama3_special(int i, char *out, size_t size);

/* ---- maps (tokenizer_map.c) */

int tern_text_map_open(tern_text_map *m, size_t count, tern_error *e);
void tern_text_map_close(tern_text_map *m);
void tern_text_map_put(tern_text_map *m, const tern_tokenizer *t, int32_t id); /* the first of equal texts stays */
int32_t tern_text_map_find(const tern_text_map *m, const tern_tokenizer *t, const void *bytes, size_t size);
/* The same with the hash at hand, which grows a byte at a time. */
int32_t tern_text_map_find_hashed(const tern_text_map *m, const tern_tokenizer *t, const void *bytes, size_t size,
                                  uint64_t hash);
#define TERN_TEXT_HASH UINT64_C(0xcbf29ce484222325) /* FNV-1a, of no bytes */
static inline uint64_t tern_text_hash(uint64_t hash, uint8_t byte) {
  return (hash ^ byte) * UINT64_C(0x100000001b3);
}

int tern_pair_map_open(tern_pair_map *m, size_t count, tern_error *e);
void tern_pair_map_close(tern_pair_map *m);
/* Grows as needed; the first of equal keys stays. */
int tern_pair_map_put(tern_pair_map *m, int32_t left, int32_t right, uint32_t rank, int32_t id, tern_error *e);

static inline size_t tern_pair_hash(uint64_t key) {
  key *= UINT64_C(0x9e3779b97f4a7c15);
  return (size_t)(key ^ (key >> 32));
}

static inline const tern_pair *tern_pair_map_find(const tern_pair_map *m, int32_t left, int32_t right) {
  uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  for (size_t i = tern_pair_hash(key) & m->mask;; i = (i + 1) & m->mask) {
    if (m->slots[i].key == key) return &m->slots[i];
    if (m->slots[i].key == UINT64_MAX) return NULL;
  }
}

/* ---- merging (tokenizer_merge.c) */

enum { TERN_RANK_NONE = 0xffffffff };

typedef struct tern_node { /* a symbol in a linked list over one word */
  int32_t id;              /* -1: no token, never merges */
  int32_t previous, next;  /* -1: none */
  int32_t merged;          /* id of this and next together */
  uint32_t rank;           /* of that merge */
  uint32_t at;             /* first byte in the word */
} tern_node;

typedef struct tern_merger {
  tern_node *nodes;
  uint64_t *heap; /* rank << 32 | node: lowest rank first, leftmost on ties */
  size_t capacity, heap_count;
} tern_merger;

int tern_merger_reserve(tern_merger *m, size_t nodes, tern_error *e);
void tern_merger_close(tern_merger *m);
/* Merges nodes[0..n-1] (id and at set) as far as it goes; the survivors hang
 * on nodes[0] by `next`. */
void tern_merger_run(tern_merger *m, const tern_pair_map *pairs, int32_t n);

/* ---- unigram (tokenizer_unigram.c) */

typedef struct tern_path { /* best way to cut the text up to a byte */
  double score;
  int32_t start; /* of its last piece; -1: no way found */
  int32_t id;    /* -1: unknown */
} tern_path;

/* Fills paths[0..size] for a word; they lead back from paths[size]. before: the sum of the words before it, as sums
 * over a whole text round otherwise than a word's. */
void tern_unigram_paths(const tern_tokenizer *t, const uint8_t *word, size_t size, double before, tern_path *paths);

/* ---- normal forms (tokenizer_normal.c, tokenizer_charsmap.c) */

typedef struct tern_text { /* grows */
  uint8_t *bytes;
  size_t size, capacity;
} tern_text;
int tern_text_append(tern_text *t, const void *bytes, size_t size, tern_error *e);

/* Whether anything happens to text at all. */
bool tern_normal_active(const tern_normal *n);
/* Appends the normal form of a fragment, which may be the text's first and last; bytes that are no UTF-8 stay as
 * they are. */
int tern_normal_apply(const tern_normal *n, const uint8_t *text, size_t size, bool first, bool last, tern_text *out,
                      tern_error *e);
/* Whether the bytes are a map that can be walked safely. */
bool tern_charsmap_valid(const uint8_t *map, size_t size);
/* Replacement of the start of text; *taken: bytes that it stands for, 0: none. longest: of all keys that fit,
 * else the shortest. */
tern_gguf_string tern_charsmap_find(const tern_normal *n, const uint8_t *text, size_t size, bool longest,
                                    size_t *taken);

/* White space, as Unicode has it. */
bool tern_is_white(int32_t character);

/* ---- rules that GGUF has no key for (tokenizer_rules.c) */

int tern_rules_write(const tern_tokenizer *t, tern_gguf_writer *w, tern_error *e);
int tern_rules_read(tern_tokenizer *t, const tern_gguf *g, tern_error *e);

/* tern_tokenizer_open for all but GGUF files, which may themselves name such a file. */
int tern_tokenizer_open_own(tern_tokenizer **out, const char *path, tern_error *e);

/* ---- characters (byte_text.c) */

/* GPT-2's printable form of bytes: out needs 2 * size bytes; returns its length. */
size_t tern_byte_text_write(const uint8_t *bytes, size_t size, char *out);
/* And back, in place size at most; SIZE_MAX when a character stands for no byte. */
size_t tern_byte_text_read(const char *text, size_t size, uint8_t *out);
/* Decodes size base64 characters; returns the bytes' count, SIZE_MAX when they are none. */
size_t tern_base64_read(const uint8_t *in, size_t size, uint8_t *out);

#endif
