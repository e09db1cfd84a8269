/* Encoding: special texts are cut out first, the rest falls into words
 * (byte-level: by the pre-tokenizer's pattern; pieces: before blanks, where no
 * piece spans them), and each word's symbols merge. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"

typedef struct encoder {
  const tern_tokenizer *t;
  tern_merger merger;
  tern_text normal; /* scratch: a fragment's normal form */
  tern_path *paths; /* scratch: unigram */
  size_t path_capacity;
  double path_score;   /* of the fragment's words so far */
  bool unknown_before; /* the last token is an unknown one */
  pcre2_match_data *match;
  int32_t *ids;
  size_t count, capacity;
  tern_error *e;
} encoder;

static int emit(encoder *c, int32_t id) {
  if (c->count == c->capacity) {
    size_t capacity = c->capacity * 2 + 64;
    int32_t *ids = realloc(c->ids, tern_mul(capacity, sizeof *ids));
    if (ids == NULL) return tern_fail(c->e, TERN_FAILED, "not enough memory for %zu tokens", capacity);
    c->ids = ids;
    c->capacity = capacity;
  }
  c->ids[c->count++] = id;
  c->unknown_before = false;
  return TERN_OK;
}

/* A symbol for which there is no token: its bytes' tokens, where all are there, else the unknown one. */
static int emit_bytes(encoder *c, const uint8_t *bytes, size_t size) {
  const tern_tokenizer *t = c->t;
  if (size == 1 && bytes[0] == ' ' && !t->bytes && t->byte_id[0xe2] >= 0) /* a blank is U+2581, known or not */
    return emit_bytes(c, (const uint8_t *)"\xe2\x96\x81", 3);
  size_t known = 0;
  while (known < size && t->byte_id[bytes[known]] >= 0) known++;
  if (known < size) {
    if (t->unknown < 0)
      return tern_fail(c->e, TERN_FAILED, "the tokenizer has no token for byte 0x%02x: its vocabulary is incomplete",
                       bytes[known]);
    if (t->fuse_unknown && c->unknown_before) return TERN_OK;
    if (emit(c, t->unknown)) return TERN_FAILED;
    c->unknown_before = true;
    return TERN_OK;
  }
  for (size_t i = 0; i < size; i++)
    if (emit(c, t->byte_id[bytes[i]])) return TERN_FAILED;
  return TERN_OK;
}

/* Merges the n symbols laid out over word[0..size) and emits what is left. */
static int merge_and_emit(encoder *c, const uint8_t *word, size_t size, size_t n) {
  tern_merger_run(&c->merger, &c->t->pairs, (int32_t)n);
  const tern_node *nodes = c->merger.nodes;
  for (int32_t i = 0; i >= 0; i = nodes[i].next) {
    size_t end = nodes[i].next < 0 ? size : nodes[nodes[i].next].at;
    int status = nodes[i].id < 0 ? emit_bytes(c, word + nodes[i].at, end - nodes[i].at) : emit(c, nodes[i].id);
    if (status != TERN_OK) return status;
  }
  return TERN_OK;
}

static int encode_word(encoder *c, const uint8_t *word, size_t size) {
  const tern_tokenizer *t = c->t;
  if (t->pre->whole_words && size <= TERN_TOKEN_LIMIT) {
    int32_t id = tern_text_map_find(&t->texts, t, word, size);
    if (id >= 0) return emit(c, id);
  }
  if (tern_merger_reserve(&c->merger, size, c->e) != TERN_OK) return TERN_FAILED;
  for (size_t i = 0; i < size; i++) c->merger.nodes[i] = (tern_node){.id = t->byte_id[word[i]], .at = (uint32_t)i};
  return merge_and_emit(c, word, size, size);
}

/* Byte-level: valid UTF-8, from a stage of the pre-tokenizer on. */
static int encode_stage(encoder *c, int stage, const uint8_t *text, size_t size) {
  if (stage == c->t->stage_count) return size == 0 ? TERN_OK : encode_word(c, text, size);
  for (size_t at = 0; at < size;) {
    int found = pcre2_match(c->t->stages[stage], text, size, at, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, c->match, NULL);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
      return tern_fail(c->e, TERN_FAILED, "the PCRE2 library gives up on this text (code %d)", found);
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(c->match);
    size_t start = found < 0 ? size : span[0], end = found < 0 ? size : span[1];
    if (encode_stage(c, stage + 1, text + at, start - at) != TERN_OK ||
        encode_stage(c, stage + 1, text + start, end - start) != TERN_OK)
      return TERN_FAILED;
    at = end;
  }
  return TERN_OK;
}

static int encode_bytes(encoder *c, const uint8_t *text, size_t size) {
  for (size_t at = 0; at < size;) {
    size_t valid = tern_utf8_span(text + at, size - at);
    if (encode_stage(c, 0, text + at, valid) != TERN_OK) return TERN_FAILED;
    at += valid;
    for (; at < size && tern_utf8_length(text + at, size - at) == 0; at++) {
      if (emit_bytes(c, text + at, 1) != TERN_OK) return TERN_FAILED;
    }
  }
  return TERN_OK;
}

static int encode_piece_word(encoder *c, const uint8_t *word, size_t size) {
  if (tern_merger_reserve(&c->merger, size, c->e) != TERN_OK) return TERN_FAILED;
  size_t n = 0;
  for (size_t i = 0; i < size;) {
    size_t length = tern_utf8_length(word + i, size - i);
    int32_t id = length == 0 ? -1 : tern_text_map_find(&c->t->texts, c->t, word + i, length);
    c->merger.nodes[n++] = (tern_node){.id = id, .at = (uint32_t)i};
    i += length == 0 ? 1 : length;
  }
  return merge_and_emit(c, word, size, n);
}

/* The best path lies backwards: its pieces are turned round in place. */
static int encode_unigram_word(encoder *c, const uint8_t *word, size_t size) {
  if (c->path_capacity <= size) {
    free(c->paths);
    c->path_capacity = 2 * size + 256;
    c->paths = malloc(tern_mul(c->path_capacity, sizeof *c->paths));
    if (!c->paths) return tern_fail(c->e, TERN_FAILED, "not enough memory to tokenize a word of %zu bytes", size);
  }
  tern_path *paths = c->paths;
  tern_unigram_paths(c->t, word, size, c->path_score, paths);
  if (!c->t->word_each_blank) c->path_score = paths[size].score;
  int32_t next = -1; /* each node learns where its piece ends */
  for (int32_t at = (int32_t)size; at > 0;) {
    int32_t start = paths[at].start;
    paths[at].start = next;
    next = at;
    at = start;
  }
  for (int32_t start = 0; next >= 0; start = next, next = paths[next].start) {
    int32_t id = paths[next].id;
    if (id >= 0 ? emit(c, id) : emit_bytes(c, word + start, (size_t)(next - start))) return TERN_FAILED;
  }
  return TERN_OK;
}

/* Pieces: `text` is scratch of this call; U+2581 means a blank (SentencePiece's
 * escape), so both are blanks from here on. */
static int encode_pieces(encoder *c, const uint8_t *text, size_t size, bool first) {
  const tern_tokenizer *t = c->t;
  uint8_t *plain = malloc(size + 1);
  if (plain == NULL) return tern_fail(c->e, TERN_FAILED, "not enough memory for a text of %zu bytes", size);
  size_t n = 1;
  plain[0] = ' ';
  for (size_t i = 0; i < size;) {
    bool blank = size - i >= 3 && memcmp(text + i, "\xe2\x96\x81", 3) == 0;
    plain[n++] = blank ? ' ' : text[i];
    i += blank ? 3 : 1;
  }
  bool prefixed = t->space_prefix && (first || !t->prefix_once) && !(t->prefix_missing && n > 1 && plain[1] == ' ');
  int status = TERN_OK;
  c->path_score = 0;
  for (size_t at = prefixed ? 0 : 1, end; at < n && status == TERN_OK; at = end) {
    for (end = at + 1; end < n; end++) {
      if (plain[end] == ' ' && (t->word_each_blank || (t->blank_starts_piece && plain[end - 1] != ' '))) break;
    }
    status = t->unigram ? encode_unigram_word(c, plain + at, end - at) : encode_piece_word(c, plain + at, end - at);
  }
  free(plain);
  return status;
}

/* A fragment between specials; `first`: the text begins with it, `last`: it ends there. */
static int encode_plain(encoder *c, const uint8_t *text, size_t size, bool first, bool last) {
  if (size > 0 && tern_normal_active(&c->t->normal)) {
    c->normal.size = 0;
    if (tern_normal_apply(&c->t->normal, text, size, first, last, &c->normal, c->e)) return TERN_FAILED;
    text = c->normal.bytes;
    size = c->normal.size;
  }
  if (size == 0) return TERN_OK;
  return c->t->bytes ? encode_bytes(c, text, size) : encode_pieces(c, text, size, first);
}

/* The longest special that starts at text, -1 for none. User-defined tokens
 * always count, control tokens when asked for. */
static int32_t special_at(const tern_tokenizer *t, const uint8_t *text, size_t left, bool control) {
  if (!t->special_first[text[0]]) return -1;
  for (int i = 0; i < t->special_length_count; i++) {
    size_t length = (size_t)t->special_lengths[i];
    int32_t id = length > left ? -1 : tern_text_map_find(&t->specials, t, text, length);
    if (id >= 0 && (control || t->type[id] == TERN_TOKEN_USER)) return id;
  }
  return -1;
}

/* Characters of words, and white space, before (step -1) or behind (1) a place. */
static bool touches_word(const uint8_t *text, size_t size, size_t at, int step) {
  utf8proc_int32_t ch;
  while (step < 0 && at > 0 && (text[--at] & 0xc0) == 0x80) continue;
  if (at >= size || utf8proc_iterate(text + at, (utf8proc_ssize_t)(size - at), &ch) < 1) return false;
  utf8proc_category_t k = utf8proc_category(ch);
  return ch == '_' || (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO);
}

static size_t white_before(const uint8_t *text, size_t from, size_t at) {
  utf8proc_int32_t ch;
  for (size_t to = at; to > from; at = to) {
    while (--to > from && (text[to] & 0xc0) == 0x80) continue;
    if (utf8proc_iterate(text + to, (utf8proc_ssize_t)(at - to), &ch) < 1 || !tern_is_white(ch)) break;
  }
  return at;
}

static size_t white_behind(const uint8_t *text, size_t size, size_t at) {
  utf8proc_int32_t ch;
  for (utf8proc_ssize_t n; at < size; at += (size_t)n) {
    n = utf8proc_iterate(text + at, (utf8proc_ssize_t)(size - at), &ch);
    if (n < 1 || !tern_is_white(ch)) break;
  }
  return at;
}

static int encode_all(encoder *c, const uint8_t *text, size_t size, bool control) {
  size_t start = 0;
  for (size_t at = 0; at < size;) {
    int32_t id = special_at(c->t, text + at, size - at, control);
    size_t end = id < 0 ? at + 1 : at + tern_vocab_text(c->t, id).size, stop = at;
    int reach = id >= 0 && c->t->reach ? c->t->reach[id] : 0;
    if ((reach & TERN_REACH_WORD) && ((at > 0 && touches_word(text, size, at, -1)) || touches_word(text, size, end, 1)))
      id = -1;
    if (id < 0) {
      at++;
      continue;
    }
    if (reach & TERN_REACH_LEFT) stop = white_before(text, start, at);
    if (reach & TERN_REACH_RIGHT) end = white_behind(text, size, end);
    if (encode_plain(c, text + start, stop - start, start == 0, false) || emit(c, id)) return TERN_FAILED;
    at = start = end;
  }
  return encode_plain(c, text + start, size - start, start == 0, true);
}

int tern_tokenizer_encode(const tern_tokenizer *t, const char *text, size_t size, bool special, int32_t **ids,
                          size_t *count, tern_error *e) {
  encoder c = {.t = t, .e = e};
  int status = TERN_FAILED;
  if (size >= INT32_MAX) {
    tern_fail(e, TERN_FAILED, "a text of %zu bytes is too long to tokenize at once: split it below 2 GiB", size);
    goto out;
  }
  c.match = pcre2_match_data_create(1, NULL);
  c.capacity = size / 3 + 16;
  c.ids = malloc(c.capacity * sizeof *c.ids);
  if (c.match == NULL || c.ids == NULL) {
    tern_fail(e, TERN_FAILED, "not enough memory to tokenize %zu bytes", size);
    goto out;
  }
  status = encode_all(&c, (const uint8_t *)text, size, special);
  if (status != TERN_OK) goto out;
  *ids = c.ids;
  *count = c.count;
  c.ids = NULL;
out:
  if (c.match != NULL) pcre2_match_data_free(c.match);
  tern_merger_close(&c.merger);
  free(c.normal.bytes);
  free(c.paths);
  free(c.ids);
  return status;
}
