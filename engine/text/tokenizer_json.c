/* Tokenizer from Hugging Face's tokenizer.json: BPE over bytes or over
 * SentencePiece pieces, with the file's own pre-tokenizer patterns. What
 * decides about ids and is not known here is refused by name. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/text/tokenizer_json_parts.h"

enum { FILE_LIMIT = 256 << 20 };

int tern_json_refuse(tern_json_reader *r, const char *where, const char *what) {
  return tern_fail(r->e, TERN_FAILED, "%s: %s: \"%.60s\" is not supported", r->path, where, what ? what : "?");
}

/* ---- vocabulary */

typedef struct entry {
  tern_gguf_string text;
  int type; /* 0: no token has this id */
} entry;

static int token_id(tern_json_reader *r, const json_t *value, const char *what, size_t limit, size_t *id) {
  *id = 0;
  json_int_t n = json_integer_value(value);
  if (!json_is_integer(value) || n < 0 || n >= INT32_MAX || (limit && (size_t)n >= limit))
    return tern_fail(r->e, TERN_FAILED, "%s: token \"%.60s\" has no usable id", r->path, what);
  *id = (size_t)n;
  return 0;
}

/* A vocabulary is an object of ids, or (unigram) a list of [text, score] in order of ids. */
static size_t listed_tokens(const json_t *vocab) {
  return json_is_array(vocab) ? json_array_size(vocab) : json_object_size(vocab);
}

/* One more than the greatest id, and all texts' bytes. Ids must not run far ahead of the count. */
static int count_tokens(tern_json_reader *r, const json_t *vocab, const json_t *added, size_t *count, size_t *bytes) {
  size_t most = json_array_size(vocab), id, listed = listed_tokens(vocab) + json_array_size(added);
  const char *text;
  json_t *value;
  *bytes = 0;
  for (size_t i = 0; i < json_array_size(vocab); i++)
    *bytes += json_string_length(json_array_get(json_array_get(vocab, i), 0));
  json_object_foreach((json_t *)vocab, text, value) {
    if (token_id(r, value, text, 0, &id)) return TERN_FAILED;
    if (id + 1 > most) most = id + 1;
    *bytes += strlen(text);
  }
  for (size_t i = 0; i < json_array_size(added); i++) {
    const json_t *o = json_array_get(added, i);
    if (token_id(r, json_object_get(o, "id"), "added_tokens", 0, &id)) return TERN_FAILED;
    if (id + 1 > most) most = id + 1;
    *bytes += json_string_length(json_object_get(o, "content"));
  }
  if (most == 0 || most > 4 * listed + 4096 || most >= INT32_MAX)
    return tern_fail(r->e, TERN_FAILED, "%s: %zu tokens with ids up to %zu are no vocabulary", r->path, listed, most);
  *count = most;
  return 0;
}

static int type_of_token(const tern_json_reader *r, const char *text, bool unknown) {
  bool bytes = json_is_true(json_object_get(r->model, "byte_fallback"));
  if (unknown) return TERN_TOKEN_UNKNOWN;
  return bytes && strlen(text) == 6 && strncmp(text, "<0x", 3) == 0 ? TERN_TOKEN_BYTE : TERN_TOKEN_NORMAL;
}

static int list_object(tern_json_reader *r, const json_t *vocab, entry *list, size_t count) {
  const char *text, *unknown = json_string_value(json_object_get(r->model, "unk_token"));
  json_t *value;
  size_t id;
  json_object_foreach((json_t *)vocab, text, value) {
    if (token_id(r, value, text, count, &id)) return TERN_FAILED;
    list[id] = (entry){{text, strlen(text)}, type_of_token(r, text, unknown && strcmp(text, unknown) == 0)};
    if (list[id].type == TERN_TOKEN_UNKNOWN) r->t->unknown = (int32_t)id;
  }
  return 0;
}

static int list_scored(tern_json_reader *r, const json_t *vocab, entry *list) {
  const json_t *unknown = json_object_get(r->model, "unk_id");
  if (json_is_integer(unknown) && json_integer_value(unknown) >= 0 &&
      (size_t)json_integer_value(unknown) < json_array_size(vocab))
    r->t->unknown = (int32_t)json_integer_value(unknown);
  for (size_t i = 0; i < json_array_size(vocab); i++) {
    const json_t *pair = json_array_get(vocab, i), *score = json_array_get(pair, 1);
    const char *text = json_string_value(json_array_get(pair, 0));
    if (!text || !json_is_number(score))
      return tern_fail(r->e, TERN_FAILED, "%s: model.vocab[%zu] is not a text and a score", r->path, i);
    list[i] = (entry){{text, strlen(text)}, type_of_token(r, text, (int32_t)i == r->t->unknown)};
    r->t->score[i] = json_number_value(score);
  }
  return 0;
}

static int set_reach(tern_json_reader *r, const json_t *o, size_t id) {
  bool left = json_is_true(json_object_get(o, "lstrip")), right = json_is_true(json_object_get(o, "rstrip"));
  bool word = json_is_true(json_object_get(o, "single_word"));
  if (!left && !right && !word) return 0;
  if (!r->t->reach) r->t->reach = calloc((size_t)r->t->size, 1);
  if (!r->t->reach) return tern_fail(r->e, TERN_FAILED, "%s: out of memory", r->path);
  r->t->reach[id] =
      (uint8_t)((left ? TERN_REACH_LEFT : 0) | (right ? TERN_REACH_RIGHT : 0) | (word ? TERN_REACH_WORD : 0));
  return 0;
}

static int list_tokens(tern_json_reader *r, const json_t *vocab, const json_t *added, entry *list, size_t count) {
  size_t id;
  if (json_is_array(vocab) ? list_scored(r, vocab, list) : list_object(r, vocab, list, count)) return TERN_FAILED;
  for (size_t i = 0; i < json_array_size(added); i++) {
    const json_t *o = json_array_get(added, i);
    const char *content = json_string_value(json_object_get(o, "content"));
    if (!content || token_id(r, json_object_get(o, "id"), content, count, &id))
      return tern_fail(r->e, TERN_FAILED, "%s: added_tokens[%zu] has no content or id", r->path, i);
    bool special = json_is_true(json_object_get(o, "special"));
    list[id] = (entry){{content, strlen(content)}, special ? TERN_TOKEN_CONTROL : TERN_TOKEN_USER};
    if (set_reach(r, o, id)) return TERN_FAILED;
  }
  return 0;
}

static int put_tokens(tern_json_reader *r, const entry *list, size_t count) {
  size_t longest = 0;
  for (size_t i = 0; i < count; i++)
    if (list[i].text.size > longest) longest = list[i].text.size;
  uint8_t *scratch = malloc(longest + 1);
  if (!scratch) return tern_fail(r->e, TERN_FAILED, "%s: out of memory", r->path);
  for (size_t i = 0; i < count; i++) {
    bool there = list[i].type != 0;
    tern_vocab_put_text(r->t, (int32_t)i, there ? list[i].text : (tern_gguf_string){"", 0},
                        there ? list[i].type : TERN_TOKEN_UNUSED, scratch);
  }
  free(scratch);
  return 0;
}

static int put_merges(tern_json_reader *r) {
  const json_t *merges = json_object_get(r->model, "merges");
  for (size_t i = 0; i < json_array_size(merges); i++) {
    const json_t *m = json_array_get(merges, i);
    const char *left = json_string_value(json_is_array(m) ? json_array_get(m, 0) : m);
    const char *right = json_string_value(json_array_get(m, 1)), *blank = left ? strchr(left, ' ') : NULL;
    size_t size = left ? strlen(left) : 0;
    if (json_is_string(m) && blank && blank > left) {
      size = (size_t)(blank - left);
      right = blank + 1;
    }
    if (!left || !right) return tern_fail(r->e, TERN_FAILED, "%s: model.merges[%zu] is not two tokens", r->path, i);
    if (tern_vocab_put_merge(r->t, (tern_gguf_string){left, size}, (tern_gguf_string){right, strlen(right)},
                             (uint32_t)i, r->e))
      return TERN_FAILED;
  }
  return 0;
}

/* ---- beginning and end */

static int32_t find_added(const tern_json_reader *r, const char *text) {
  const json_t *added = json_object_get(r->root, "added_tokens");
  for (size_t i = 0; text && i < json_array_size(added); i++) {
    const json_t *o = json_array_get(added, i);
    const char *content = json_string_value(json_object_get(o, "content"));
    if (content && strcmp(content, text) == 0) return (int32_t)json_integer_value(json_object_get(o, "id"));
  }
  return -1;
}

/* A template that starts with a special token adds BOS, one that ends with one EOS. */
static void read_template(tern_json_reader *r, const json_t *o) {
  const json_t *parts = json_object_get(o, "processors"), *single = json_object_get(o, "single");
  for (size_t i = 0; i < json_array_size(parts); i++) read_template(r, json_array_get(parts, i));
  size_t n = json_array_size(single);
  const json_t *first = json_object_get(json_array_get(single, 0), "SpecialToken");
  const json_t *last = n > 1 ? json_object_get(json_array_get(single, n - 1), "SpecialToken") : NULL;
  const char *bos = json_string_value(json_object_get(first, "id")),
             *eos = json_string_value(json_object_get(last, "id"));
  if (bos) {
    r->t->bos = find_added(r, bos);
    r->t->adds_bos = r->t->bos >= 0;
  }
  if (eos) {
    r->t->eos = find_added(r, eos);
    r->t->adds_eos = r->t->eos >= 0;
  }
}

static const char *named_token(const json_t *config, const char *key) {
  const json_t *o = json_object_get(config, key);
  return json_string_value(json_is_object(o) ? json_object_get(o, "content") : o);
}

/* tokenizer_config.json beside the file says which tokens begin and end. */
static void read_config(tern_json_reader *r) {
  char path[4096];
  const char *slash = strrchr(r->path, '/');
  int folder = slash ? (int)(slash - r->path) + 1 : 0;
  if (snprintf(path, sizeof path, "%.*stokenizer_config.json", folder, r->path) >= (int)sizeof path) return;
  json_t *config = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL); /* model_max_length may be 1e30 in digits */
  int32_t bos = find_added(r, named_token(config, "bos_token")), eos = find_added(r, named_token(config, "eos_token"));
  const json_t *adds = json_object_get(config, "add_bos_token"), *ends = json_object_get(config, "add_eos_token");
  if (bos >= 0) r->t->bos = bos;
  if (eos >= 0) r->t->eos = eos;
  if (json_is_boolean(adds)) r->t->adds_bos = json_is_true(adds);
  if (json_is_boolean(ends)) r->t->adds_eos = json_is_true(ends);
  json_decref(config);
}

/* ---- the file */

static int check_model(tern_json_reader *r) {
  const char *type = json_string_value(json_object_get(r->model, "type"));
  const json_t *prefix = json_object_get(r->model, "continuing_subword_prefix");
  const json_t *vocab = json_object_get(r->model, "vocab");
  bool unigram = type && strcmp(type, "Unigram") == 0;
  if (!json_is_object(r->model) || !(unigram ? json_is_array(vocab) : json_is_object(vocab))) {
    if (type && !unigram && strcmp(type, "BPE") != 0) return tern_json_refuse(r, "model type", type);
    return tern_fail(r->e, TERN_FAILED, "%s: no model.vocab: is this a BPE or Unigram tokenizer.json?", r->path);
  }
  if (type && !unigram && strcmp(type, "BPE") != 0) return tern_json_refuse(r, "model type", type);
  if (json_string_length(prefix) > 0) return tern_json_refuse(r, "model", "continuing_subword_prefix");
  return 0;
}

static int set_rules(tern_json_reader *r) {
  tern_tokenizer *t = r->t;
  if (tern_json_rules(r)) return TERN_FAILED;
  t->bytes = r->byte_level;
  if (!r->byte_level && !r->piece_blanks)
    return tern_json_refuse(r, "pre_tokenizer", "neither ByteLevel nor blanks as U+2581");
  t->own.whole_words = json_is_true(json_object_get(r->model, "ignore_merges"));
  t->fuse_unknown = t->score || json_is_true(json_object_get(r->model, "fuse_unk"));
  const tern_pre *known = tern_pre_match(&t->own);
  t->pre = known ? known : &t->own;
  return 0;
}

static int build(tern_json_reader *r) {
  const json_t *vocab = json_object_get(r->model, "vocab"), *added = json_object_get(r->root, "added_tokens");
  size_t count = 0, bytes = 0;
  entry *list = NULL;
  if (count_tokens(r, vocab, added, &count, &bytes)) return TERN_FAILED;
  if (!(list = calloc(count, sizeof *list))) return tern_fail(r->e, TERN_FAILED, "%s: out of memory", r->path);
  if (tern_vocab_open(&r->t, (int)count, bytes, json_is_array(vocab), r->e) || set_rules(r) ||
      list_tokens(r, vocab, added, list, count) || put_tokens(r, list, count))
    goto out;
  read_template(r, json_object_get(r->root, "post_processor"));
  read_config(r);
  if (tern_vocab_finish(r->t, r->path, r->e)) goto out;
  if (r->t->score)
    tern_vocab_unigram(r->t);
  else
    put_merges(r);
out:
  free(list);
  return (int)r->e->status;
}

int tern_tokenizer_from_json(tern_tokenizer **out, const char *path, tern_error *e) {
  *out = NULL;
  size_t size;
  json_error_t problem;
  char *text = tern_file_read(path, FILE_LIMIT, &size, e);
  if (!text) return (int)e->status;
  tern_json_reader r = {.path = path, .e = e};
  e->status = TERN_OK;
  r.root = json_loadb(text, size, 0, &problem);
  free(text);
  if (!r.root) return tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, problem.line, problem.text);
  r.model = json_object_get(r.root, "model");
  if (check_model(&r) == 0) build(&r);
  json_decref(r.root);
  if (e->status) {
    tern_tokenizer_close(r.t);
    return (int)e->status;
  }
  *out = r.t;
  return 0;
}
