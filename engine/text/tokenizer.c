/* The vocabulary: building it from a loader's tokens, and the questions asked
 * of it. Pieces keep real blanks (not U+2581) and byte tokens their byte, so
 * that decoding is a copy. */
#include "engine/text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"

#define DEEPSEEK_END                                                                                                   \
  "<\xef\xbd\x9c"                                                                                                      \
  "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>"

/* Texts at which a model's turn or document ends, whatever the file's keys say. */
static const char *const end_texts[] = {
    "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>", "<|end|>",   "<end_of_turn>",
    "<EOT>",      "<|EOT|>",    "<|end_of_turn|>", "</s>",          "<eos>",      DEEPSEEK_END};

int tern_vocab_open(tern_tokenizer **out, int size, size_t pool_size, bool pieces, tern_error *e) {
  size_t n = (size_t)size;
  tern_tokenizer *t = calloc(1, sizeof *t);
  if (t != NULL) {
    *t = (tern_tokenizer){.bytes = !pieces, .size = size, .bos = -1, .eos = -1, .eot = -1, .unknown = -1};
    t->pool = malloc(pool_size + 1);
    t->at = calloc(n + 1, sizeof *t->at);
    t->type = calloc(n, sizeof *t->type);
    t->ends = calloc(n, sizeof *t->ends);
    t->score = pieces ? calloc(n, sizeof *t->score) : NULL;
  }
  if (t == NULL || t->pool == NULL || t->at == NULL || t->type == NULL || t->ends == NULL ||
      (pieces && t->score == NULL)) {
    tern_tokenizer_close(t);
    return tern_fail(e, TERN_FAILED, "not enough memory for a vocabulary of %d tokens", size);
  }
  for (int b = 0; b < 256; b++) t->byte_id[b] = -1;
  *out = t;
  return TERN_OK;
}

void tern_vocab_put(tern_tokenizer *t, int32_t id, const void *bytes, size_t size, int type) {
  if (size > 0) memcpy(t->pool + t->at[id], bytes, size);
  t->at[id + 1] = t->at[id] + size;
  t->type[id] = (uint8_t)type;
}

static bool is_special(int type) {
  return type == TERN_TOKEN_CONTROL || type == TERN_TOKEN_USER;
}

static bool is_end(const tern_tokenizer *t, int32_t id) {
  if (id == t->eos || id == t->eot) return true;
  if (!is_special(t->type[id])) return false;
  tern_gguf_string text = tern_vocab_text(t, id);
  for (size_t i = 0; i < sizeof end_texts / sizeof *end_texts; i++) {
    if (strlen(end_texts[i]) == text.size && memcmp(end_texts[i], text.data, text.size) == 0) return true;
  }
  return false;
}

static int falling(const void *a, const void *b) {
  return *(const int *)b - *(const int *)a;
}

/* Distinct lengths of the specials, longest first: the order of trial. */
static int list_special_lengths(tern_tokenizer *t, int specials, tern_error *e) {
  t->special_lengths = malloc(((size_t)specials + 1) * sizeof *t->special_lengths);
  if (t->special_lengths == NULL) return tern_fail(e, TERN_FAILED, "not enough memory for %d special tokens", specials);
  int n = 0;
  for (int32_t id = 0; id < t->size; id++) {
    tern_gguf_string text = tern_vocab_text(t, id);
    if (!is_special(t->type[id]) || text.size == 0) continue;
    if (t->float_paths && t->type[id] == TERN_TOKEN_USER) continue; /* SentencePiece finds them on its best path */
    tern_text_map_put(&t->specials, t, id);
    t->special_first[(unsigned char)text.data[0]] = true;
    t->special_lengths[n++] = (int)text.size;
  }
  qsort(t->special_lengths, (size_t)n, sizeof *t->special_lengths, falling);
  for (int i = 0; i < n; i++) {
    int count = t->special_length_count;
    if (count == 0 || t->special_lengths[count - 1] != t->special_lengths[i])
      t->special_lengths[t->special_length_count++] = t->special_lengths[i];
  }
  return TERN_OK;
}

static bool blank_inside(tern_gguf_string text) {
  for (size_t i = 1; i < text.size; i++) {
    if (text.data[i] == ' ' && text.data[i - 1] != ' ') return true;
  }
  return false;
}

static void note_text(tern_tokenizer *t, int32_t id) {
  tern_gguf_string text = tern_vocab_text(t, id);
  int type = t->type[id];
  bool byte = text.size == 1 && (t->bytes ? type != TERN_TOKEN_CONTROL : type == TERN_TOKEN_BYTE);
  if (byte && t->byte_id[(unsigned char)text.data[0]] < 0) t->byte_id[(unsigned char)text.data[0]] = id;
  if (type == TERN_TOKEN_UNUSED && t->float_paths) return; /* SentencePiece's unigram passes them over */
  if (text.size == 0 || type == TERN_TOKEN_BYTE || type == TERN_TOKEN_CONTROL || type == TERN_TOKEN_UNKNOWN) return;
  tern_text_map_put(&t->texts, t, id);
  if (text.size > (size_t)t->longest) t->longest = (int)text.size;
  if (blank_inside(text)) t->blank_starts_piece = false;
}

static int compile(tern_tokenizer *t, const char *where, tern_error *e) {
  for (; t->stage_count < TERN_PRE_STAGES && t->pre->stages[t->stage_count]; t->stage_count++) {
    int code;
    PCRE2_SIZE offset;
    PCRE2_SPTR pattern = (PCRE2_SPTR)t->pre->stages[t->stage_count];
    pcre2_code *stage = pcre2_compile(pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &code, &offset, NULL);
    if (stage == NULL)
      return tern_fail(e, TERN_FAILED, "%s: the PCRE2 library refuses the pre-tokenizer's pattern (code %d)", where,
                       code);
    pcre2_jit_compile(stage, PCRE2_JIT_COMPLETE); /* without JIT the same words come more slowly */
    t->stages[t->stage_count] = stage;
  }
  return TERN_OK;
}

int tern_vocab_finish(tern_tokenizer *t, const char *where, tern_error *e) {
  if (t->bytes && compile(t, where, e) != TERN_OK) return TERN_FAILED;
  int specials = 0;
  for (int32_t id = 0; id < t->size; id++) {
    size_t length = t->at[id + 1] - t->at[id];
    if (length > TERN_TOKEN_LIMIT)
      return tern_fail(e, TERN_FAILED, "%s: token %d has %zu bytes; at most %d make sense", where, (int)id, length,
                       TERN_TOKEN_LIMIT);
    specials += is_special(t->type[id]);
    t->ends[id] = is_end(t, id);
    /* Some files mark ends as user-defined, which plain text would then contain. */
    if (t->ends[id] && t->type[id] == TERN_TOKEN_USER) t->type[id] = TERN_TOKEN_CONTROL;
  }
  if (tern_text_map_open(&t->texts, (size_t)t->size, e) != TERN_OK ||
      tern_text_map_open(&t->specials, (size_t)specials, e) != TERN_OK ||
      tern_pair_map_open(&t->pairs, (size_t)t->size, e) != TERN_OK)
    return TERN_FAILED;
  t->blank_starts_piece = true;
  for (int32_t id = 0; id < t->size; id++) note_text(t, id);
  return list_special_lengths(t, specials, e);
}

int tern_vocab_pair_splits(tern_tokenizer *t, const uint32_t *ranks, tern_error *e) {
  for (int32_t id = 0; id < t->size; id++) {
    tern_gguf_string text = tern_vocab_text(t, id);
    if (tern_text_map_find(&t->texts, t, text.data, text.size) != id) continue;
    for (size_t cut = 1; cut < text.size; cut++) {
      int32_t left = tern_text_map_find(&t->texts, t, text.data, cut);
      int32_t right = left < 0 ? -1 : tern_text_map_find(&t->texts, t, text.data + cut, text.size - cut);
      if (right < 0) continue;
      uint32_t rank = ranks == NULL ? (uint32_t)id : ranks[id];
      if (tern_pair_map_put(&t->pairs, left, right, rank, id, e) != TERN_OK) return TERN_FAILED;
    }
  }
  return TERN_OK;
}

typedef struct scored {
  double score;
  int32_t id;
} scored;

static int by_score(const void *a, const void *b) {
  const scored *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

uint32_t *tern_vocab_ranks(const tern_tokenizer *t, tern_error *e) {
  size_t n = (size_t)t->size;
  uint32_t *ranks = malloc(n * sizeof *ranks);
  scored *order = malloc(n * sizeof *order);
  if (ranks == NULL || order == NULL) {
    tern_fail(e, TERN_FAILED, "not enough memory for a vocabulary of %d tokens", t->size);
    free(ranks);
    free(order);
    return NULL;
  }
  for (size_t i = 0; i < n; i++) order[i] = (scored){t->score[i], (int32_t)i};
  qsort(order, n, sizeof *order, by_score);
  for (size_t i = 0, rank = 0; i < n; i++) {
    if (i > 0 && order[i].score != order[i - 1].score) rank = i;
    ranks[order[i].id] = (uint32_t)rank;
  }
  free(order);
  return ranks;
}

void tern_tokenizer_close(tern_tokenizer *t) {
  if (t == NULL) return;
  tern_text_map_close(&t->texts);
  tern_text_map_close(&t->specials);
  tern_pair_map_close(&t->pairs);
  for (int i = 0; i < t->stage_count; i++) pcre2_code_free(t->stages[i]);
  for (int i = 0; i < TERN_PRE_STAGES; i++) free(t->own_stages[i]);
  free(t->special_lengths);
  free(t->pool);
  free(t->at);
  free(t->type);
  free(t->score);
  free(t->ends);
  free(t->reach);
  free((void *)t->normal.charsmap);
  free(t);
}

int tern_tokenizer_size(const tern_tokenizer *t) {
  return t->size;
}
int32_t tern_tokenizer_bos(const tern_tokenizer *t) {
  return t->bos;
}
int32_t tern_tokenizer_eos(const tern_tokenizer *t) {
  return t->eos;
}
bool tern_tokenizer_adds_eos(const tern_tokenizer *t) {
  return t->adds_eos && t->eos >= 0;
}
bool tern_tokenizer_adds_bos(const tern_tokenizer *t) {
  return t->adds_bos && t->bos >= 0;
}

int32_t tern_tokenizer_find(const tern_tokenizer *t, const char *text) {
  return tern_text_map_find(&t->specials, t, text, strlen(text));
}

bool tern_tokenizer_ends(const tern_tokenizer *t, int32_t id) {
  return id >= 0 && id < t->size && t->ends[id];
}

tern_gguf_string tern_tokenizer_bytes(const tern_tokenizer *t, int32_t previous, int32_t id) {
  if (id < 0 || id >= t->size || t->type[id] == TERN_TOKEN_CONTROL) return (tern_gguf_string){"", 0};
  tern_gguf_string text = tern_vocab_text(t, id);
  bool first = previous < 0 || previous == t->bos;
  if (first && t->space_prefix && t->type[id] != TERN_TOKEN_BYTE && text.size > 0 && text.data[0] == ' ') {
    text.data++;
    text.size--;
  }
  return text;
}
