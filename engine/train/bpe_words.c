/* Words of the training text: cut by the pre-tokenizer that the vocabulary will
 * be used with, counted, laid out as byte tokens. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"
#include "engine/train/bpe_parts.h"

enum { TEXT_LIMIT = 1 << 30, START_SLOTS = 1 << 12 };

typedef struct cutter {
  tern_bpe_words *w;
  pcre2_code *stages[TERN_PRE_STAGES];
  int stage_count;
  pcre2_match_data *match;
  int32_t id[256];
  tern_error *e;
} cutter;

/* Character that stands for a byte in a byte-level vocabulary. */
static int character_of(uint8_t byte) {
  char text[2];
  if (tern_byte_text_write(&byte, 1, text) == 1) return text[0];
  return (text[0] & 0x1f) << 6 | (text[1] & 0x3f);
}

int32_t tern_bpe_byte_id(uint8_t byte) {
  int32_t before = 0;
  for (int b = 0; b < 256; b++) before += character_of((uint8_t)b) < character_of(byte);
  return TERN_BPE_SPECIALS + before;
}

static int grow(cutter *c) {
  tern_bpe_words *w = c->w;
  const size_t slots = 2 * (w->mask + 1);
  uint32_t *to = calloc(slots, sizeof *to);
  if (!to) return tern_fail(c->e, TERN_FAILED, "words of the text: out of memory");
  for (size_t i = 0; i < w->count; i++) {
    uint64_t h = 0;
    for (int32_t k = 0; k < w->words[i].length; k++)
      h = (h ^ (uint64_t)w->symbols[w->words[i].at + (size_t)k]) * UINT64_C(0x100000001b3);
    size_t at = tern_pair_hash(h) & (slots - 1);
    while (to[at]) at = (at + 1) & (slots - 1);
    to[at] = (uint32_t)i + 1;
  }
  free(w->slots);
  w->slots = to;
  w->mask = slots - 1;
  return TERN_OK;
}

static bool same(const tern_bpe_words *w, const tern_bpe_word *a, const int32_t *symbols, size_t n) {
  return (size_t)a->length == n && memcmp(w->symbols + a->at, symbols, n * sizeof *symbols) == 0;
}

static int reserve(cutter *c, size_t n) {
  tern_bpe_words *w = c->w;
  if (w->used + n > w->room) {
    const size_t room = 2 * (w->room + n) + 4096;
    int32_t *symbols = realloc(w->symbols, tern_mul(room, sizeof *symbols));
    if (!symbols) return tern_fail(c->e, TERN_FAILED, "words of the text: out of memory");
    w->symbols = symbols;
    w->room = room;
  }
  if (w->count == w->capacity) {
    const size_t capacity = 2 * w->capacity + 1024;
    tern_bpe_word *words = realloc(w->words, tern_mul(capacity, sizeof *words));
    if (!words) return tern_fail(c->e, TERN_FAILED, "words of the text: out of memory");
    w->words = words;
    w->capacity = capacity;
  }
  return 2 * w->count < w->mask ? TERN_OK : grow(c);
}

static int add_word(cutter *c, const uint8_t *text, size_t n) {
  tern_bpe_words *w = c->w;
  if (n > INT32_MAX / 2 || w->count >= UINT32_MAX / 2 || reserve(c, n) != TERN_OK)
    return c->e->text[0] ? TERN_FAILED : tern_fail(c->e, TERN_FAILED, "words of the text: too many");
  int32_t *symbols = w->symbols + w->used;
  uint64_t h = 0;
  for (size_t i = 0; i < n; i++) {
    symbols[i] = c->id[text[i]];
    h = (h ^ (uint64_t)symbols[i]) * UINT64_C(0x100000001b3);
  }
  w->total++;
  size_t at = tern_pair_hash(h) & w->mask;
  for (; w->slots[at]; at = (at + 1) & w->mask) {
    tern_bpe_word *known = &w->words[w->slots[at] - 1];
    if (!same(w, known, symbols, n)) continue;
    known->count += known->count < INT32_MAX;
    return TERN_OK;
  }
  w->words[w->count++] = (tern_bpe_word){.at = w->used, .length = (int32_t)n, .count = 1};
  w->slots[at] = (uint32_t)w->count;
  w->used += n;
  return TERN_OK;
}

static int cut(cutter *c, int stage, const uint8_t *text, size_t size) {
  if (stage == c->stage_count) return size == 0 ? TERN_OK : add_word(c, text, size);
  for (size_t at = 0; at < size;) {
    int found = pcre2_match(c->stages[stage], text, size, at, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, c->match, NULL);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
      return tern_fail(c->e, TERN_FAILED, "the PCRE2 library gives up on this text (code %d)", found);
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(c->match);
    const size_t start = found < 0 ? size : span[0], end = found < 0 ? size : span[1];
    if (cut(c, stage + 1, text + at, start - at) != TERN_OK || cut(c, stage + 1, text + start, end - start) != TERN_OK)
      return TERN_FAILED;
    at = end;
  }
  return TERN_OK;
}

static int add_text(cutter *c, const char *text, size_t size, const char *path, size_t line) {
  c->w->bytes += size;
  if (tern_utf8_span((const uint8_t *)text, size) != size)
    return tern_fail(c->e, TERN_FAILED, "%s:%zu: not valid UTF-8", path, line);
  return cut(c, 0, (const uint8_t *)text, size);
}

static int add_record(cutter *c, const char *text, size_t size, const char *path, size_t line) {
  static const char *const keys[] = {"prompt", "completion"};
  json_error_t bad;
  json_t *record = json_loadb(text, size, 0, &bad);
  int status = json_is_object(record) ? TERN_OK
                                      : tern_fail(c->e, TERN_FAILED, "%s:%zu: %s", path, line,
                                                  record ? "want an object on each line" : bad.text);
  for (int i = 0; i < 2 && status == TERN_OK; i++) {
    json_t *v = json_object_get(record, keys[i]);
    if (json_is_string(v)) status = add_text(c, json_string_value(v), json_string_length(v), path, line);
  }
  json_decref(record);
  return status;
}

static int add_file(cutter *c, const char *path) {
  size_t size, line = 0;
  char *text = tern_file_read(path, TEXT_LIMIT, &size, c->e);
  if (!text) return TERN_FAILED;
  const char *dot = strrchr(path, '.');
  const bool records = dot && strcmp(dot, ".jsonl") == 0;
  int status = TERN_OK;
  for (size_t at = 0; at < size && status == TERN_OK;) {
    const char *end = memchr(text + at, '\n', size - at);
    const size_t length = end ? (size_t)(end - text) + 1 - at : size - at;
    line++;
    if (!records)
      status = add_text(c, text + at, length, path, line);
    else if (strspn(text + at, " \t\r\n") < length)
      status = add_record(c, text + at, length, path, line);
    at += length;
  }
  free(text);
  return status;
}

static int open_stages(cutter *c, const char *pre) {
  const tern_pre *found = tern_pre_find((tern_gguf_string){pre, strlen(pre)});
  for (int i = 0; found && i < TERN_PRE_STAGES && found->stages[i]; i++) {
    int code;
    PCRE2_SIZE at;
    c->stages[i] =
        pcre2_compile((PCRE2_SPTR)found->stages[i], PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &code, &at, NULL);
    if (!c->stages[i])
      return tern_fail(c->e, TERN_FAILED, "pre-tokenizer %s: PCRE2 refuses its pattern (%d)", pre, code);
    pcre2_jit_compile(c->stages[i], PCRE2_JIT_COMPLETE);
    c->stage_count++;
  }
  c->match = pcre2_match_data_create(1, NULL);
  if (!c->match || c->stage_count == 0) return tern_fail(c->e, TERN_FAILED, "pre-tokenizer %s: not available", pre);
  return TERN_OK;
}

int tern_bpe_words_read(tern_bpe_words *w, const char *const *files, int count, const char *pre, tern_error *e) {
  cutter c = {.w = w, .e = e};
  *w = (tern_bpe_words){.mask = START_SLOTS - 1, .slots = calloc(START_SLOTS, sizeof *w->slots)};
  int status = w->slots ? open_stages(&c, pre) : tern_fail(e, TERN_FAILED, "words of the text: out of memory");
  for (int b = 0; b < 256; b++) c.id[b] = tern_bpe_byte_id((uint8_t)b);
  for (int i = 0; i < count && status == TERN_OK; i++) status = add_file(&c, files[i]);
  for (int i = 0; i < c.stage_count; i++) pcre2_code_free(c.stages[i]);
  pcre2_match_data_free(c.match);
  if (status != TERN_OK) tern_bpe_words_close(w);
  return status;
}

void tern_bpe_words_close(tern_bpe_words *w) {
  free(w->words);
  free(w->symbols);
  free(w->slots);
  *w = (tern_bpe_words){0};
}
