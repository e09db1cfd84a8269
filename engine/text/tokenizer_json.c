/* Tokenizer from Hugging Face's tokenizer.json: BPE over bytes or over
 * SentencePiece pieces, with the file's own pre-tokenizer patterns. What
 * decides about ids and is not known here is refused by name. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"

enum { FILE_LIMIT = 256 << 20, PATTERN_LIMIT = 1 << 16 };

typedef struct reader {
  const char *path;
  json_t *root, *model;
  tern_tokenizer *t;
  bool byte_level, byte_level_words; /* ByteLevel was seen; and cuts words itself */
  bool piece_blanks;                 /* blanks become U+2581 */
  tern_error *e;
} reader;

static int refuse(reader *r, const char *where, const char *what) {
  return tern_fail(r->e, TERN_FAILED, "%s: %s: \"%.60s\" is not supported", r->path, where, what ? what : "?");
}

static const char *type_of(const json_t *o) {
  const char *type = json_string_value(json_object_get(o, "type"));
  return type ? type : "";
}

static bool is(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

/* ---- pre-tokenizer */

/* \s and \S by Unicode's White_Space, as the patterns' own engine has them. */
static char *with_white_space(const char *pattern) {
  char *out = malloc(strlen(pattern) * (sizeof TERN_PRE_SPACE + 4) + 1), *to = out;
  bool class = false;
  if (!out || strlen(pattern) > PATTERN_LIMIT) {
    free(out);
    return NULL;
  }
  for (const char *at = pattern; *at; at++) {
    bool space = at[0] == '\\' && at[1] == 's', other = at[0] == '\\' && at[1] == 'S' && !class;
    if (space || other) {
      to = stpcpy(to, class ? TERN_PRE_SPACE : other ? "[^" TERN_PRE_SPACE "]" : "[" TERN_PRE_SPACE "]");
      at++;
    } else {
      if (*at == '[' || *at == ']') class = *at == '[';
      *to++ = *at;
      if (*at == '\\' && at[1]) *to++ = *++at;
    }
  }
  *to = '\0';
  return out;
}

static int add_stage(reader *r, const char *pattern) {
  int i = 0;
  while (i < TERN_PRE_STAGES && r->t->own_stages[i]) i++;
  if (i == TERN_PRE_STAGES) return tern_fail(r->e, TERN_FAILED, "%s: more than %d pre-tokenizers", r->path, i);
  r->t->own_stages[i] = with_white_space(pattern);
  if (!r->t->own_stages[i]) return tern_fail(r->e, TERN_FAILED, "%s: a pre-tokenizer's pattern is too long", r->path);
  r->t->own.stages[i] = r->t->own_stages[i];
  return 0;
}

/* Matches must stand alone: then a stage is what lies between and what matches. */
static int add_split(reader *r, const json_t *o) {
  const json_t *pattern = json_object_get(o, "pattern");
  const char *regex = json_string_value(json_object_get(pattern, "Regex"));
  const char *literal = json_string_value(json_object_get(pattern, "String"));
  const char *behavior = json_string_value(json_object_get(o, "behavior"));
  bool invert = json_is_true(json_object_get(o, "invert"));
  if (literal && is(literal, " ") && r->piece_blanks) return 0; /* no blank is left at this point */
  if (!regex) return refuse(r, "pre_tokenizer Split", literal ? literal : "pattern");
  bool alone = behavior && (is(behavior, "Isolated") || (is(behavior, "Removed") && invert));
  return alone ? add_stage(r, regex) : refuse(r, "pre_tokenizer Split behavior", behavior);
}

static int add_byte_level(reader *r, const json_t *o) {
  const json_t *words = json_object_get(o, "use_regex");
  r->byte_level = true;
  if (json_is_true(json_object_get(o, "add_prefix_space"))) return refuse(r, "ByteLevel", "add_prefix_space");
  return words && !json_is_true(words) ? 0 : add_stage(r, TERN_PRE_GPT2);
}

static int add_digits(reader *r, const json_t *o) {
  return add_stage(r, json_is_true(json_object_get(o, "individual_digits")) ? "\\p{N}" : "\\p{N}+");
}

static int add_punctuation(reader *r, const json_t *o) {
  const char *behavior = json_string_value(json_object_get(o, "behavior"));
  if (!behavior || is(behavior, "Isolated")) return add_stage(r, "[!-/:-@\\[-`{-~\\p{P}]");
  if (is(behavior, "Contiguous")) return add_stage(r, "[!-/:-@\\[-`{-~\\p{P}]+");
  return refuse(r, "pre_tokenizer Punctuation behavior", behavior);
}

static int add_metaspace(reader *r, const json_t *o) {
  const char *scheme = json_string_value(json_object_get(o, "prepend_scheme"));
  r->piece_blanks = true;
  if (scheme)
    r->t->space_prefix = !is(scheme, "never");
  else
    r->t->space_prefix = !json_is_false(json_object_get(o, "add_prefix_space"));
  return 0;
}

static const struct {
  const char *type;
  int (*add)(reader *, const json_t *);
} pre_kinds[] = {
    {"Split", add_split},         {"ByteLevel", add_byte_level},
    {"Digits", add_digits},       {"Punctuation", add_punctuation},
    {"Metaspace", add_metaspace},
};

static int add_pre(reader *r, const json_t *o) {
  if (!json_is_object(o)) return 0;
  const json_t *list = json_object_get(o, "pretokenizers");
  if (is(type_of(o), "Sequence")) {
    for (size_t i = 0; i < json_array_size(list); i++)
      if (add_pre(r, json_array_get(list, i))) return TERN_FAILED;
    return 0;
  }
  for (size_t i = 0; i < sizeof pre_kinds / sizeof *pre_kinds; i++)
    if (is(type_of(o), pre_kinds[i].type)) return pre_kinds[i].add(r, o);
  return refuse(r, "pre_tokenizer", type_of(o));
}

/* ---- normalizer */

static bool replaces_blank(const json_t *o) {
  const char *from = json_string_value(json_object_get(json_object_get(o, "pattern"), "String"));
  const char *to = json_string_value(json_object_get(o, "content"));
  return from && to && is(from, " ") && is(to, "\xe2\x96\x81");
}

static int add_normalizer(reader *r, const json_t *o) {
  if (!json_is_object(o)) return 0;
  const json_t *list = json_object_get(o, "normalizers");
  const char *type = type_of(o), *text = json_string_value(json_object_get(o, "prepend"));
  if (is(type, "Sequence")) {
    for (size_t i = 0; i < json_array_size(list); i++)
      if (add_normalizer(r, json_array_get(list, i))) return TERN_FAILED;
    return 0;
  }
  if (is(type, "NFC")) {
    r->t->nfc = true;
  } else if (is(type, "Prepend") && text && is(text, "\xe2\x96\x81")) {
    r->t->space_prefix = true;
  } else if (is(type, "Replace") && replaces_blank(o)) {
    r->piece_blanks = true;
  } else {
    return refuse(r, "normalizer", type);
  }
  return 0;
}

/* ---- vocabulary */

typedef struct entry {
  tern_gguf_string text;
  int type; /* 0: no token has this id */
} entry;

static int token_id(reader *r, const json_t *value, const char *what, size_t limit, size_t *id) {
  *id = 0;
  json_int_t n = json_integer_value(value);
  if (!json_is_integer(value) || n < 0 || n >= INT32_MAX || (limit && (size_t)n >= limit))
    return tern_fail(r->e, TERN_FAILED, "%s: token \"%.60s\" has no usable id", r->path, what);
  *id = (size_t)n;
  return 0;
}

/* One more than the greatest id. Ids must not run far ahead of the count. */
static int count_tokens(reader *r, const json_t *vocab, const json_t *added, size_t *count) {
  size_t most = 0, id, listed = json_object_size(vocab) + json_array_size(added);
  const char *text;
  json_t *value;
  json_object_foreach((json_t *)vocab, text, value) {
    if (token_id(r, value, text, 0, &id)) return TERN_FAILED;
    if (id + 1 > most) most = id + 1;
  }
  for (size_t i = 0; i < json_array_size(added); i++) {
    const json_t *o = json_array_get(added, i);
    if (token_id(r, json_object_get(o, "id"), "added_tokens", 0, &id)) return TERN_FAILED;
    if (id + 1 > most) most = id + 1;
  }
  if (most == 0 || most > 4 * listed + 4096)
    return tern_fail(r->e, TERN_FAILED, "%s: %zu tokens with ids up to %zu are no vocabulary", r->path, listed, most);
  *count = most;
  return 0;
}

static int list_tokens(reader *r, const json_t *vocab, const json_t *added, entry *list, size_t count) {
  const char *text, *unknown = json_string_value(json_object_get(r->model, "unk_token"));
  bool byte_tokens = json_is_true(json_object_get(r->model, "byte_fallback"));
  json_t *value;
  size_t id;
  json_object_foreach((json_t *)vocab, text, value) {
    if (token_id(r, value, text, count, &id)) return TERN_FAILED;
    bool byte = byte_tokens && strlen(text) == 6 && strncmp(text, "<0x", 3) == 0;
    int type = unknown && is(text, unknown) ? TERN_TOKEN_UNKNOWN : byte ? TERN_TOKEN_BYTE : TERN_TOKEN_NORMAL;
    list[id] = (entry){{text, strlen(text)}, type};
    if (type == TERN_TOKEN_UNKNOWN) r->t->unknown = (int32_t)id;
  }
  for (size_t i = 0; i < json_array_size(added); i++) {
    const json_t *o = json_array_get(added, i);
    const char *content = json_string_value(json_object_get(o, "content"));
    if (!content || token_id(r, json_object_get(o, "id"), content, count, &id))
      return tern_fail(r->e, TERN_FAILED, "%s: added_tokens[%zu] has no content or id", r->path, i);
    bool special = json_is_true(json_object_get(o, "special"));
    list[id] = (entry){{content, strlen(content)}, special ? TERN_TOKEN_CONTROL : TERN_TOKEN_USER};
  }
  return 0;
}

static int put_tokens(reader *r, const entry *list, size_t count) {
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

static int put_merges(reader *r) {
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

static int32_t find_added(const reader *r, const char *text) {
  const json_t *added = json_object_get(r->root, "added_tokens");
  for (size_t i = 0; text && i < json_array_size(added); i++) {
    const json_t *o = json_array_get(added, i);
    const char *content = json_string_value(json_object_get(o, "content"));
    if (content && is(content, text)) return (int32_t)json_integer_value(json_object_get(o, "id"));
  }
  return -1;
}

/* A template that starts with a special token adds BOS. */
static void read_template(reader *r, const json_t *o) {
  const json_t *parts = json_object_get(o, "processors"), *single = json_object_get(o, "single");
  for (size_t i = 0; i < json_array_size(parts); i++) read_template(r, json_array_get(parts, i));
  const json_t *first = json_object_get(json_array_get(single, 0), "SpecialToken");
  const char *text = json_string_value(json_object_get(first, "id"));
  if (!text) return;
  r->t->bos = find_added(r, text);
  r->t->adds_bos = r->t->bos >= 0;
}

static const char *named_token(const json_t *config, const char *key) {
  const json_t *o = json_object_get(config, key);
  return json_string_value(json_is_object(o) ? json_object_get(o, "content") : o);
}

/* tokenizer_config.json beside the file says which tokens begin and end. */
static void read_config(reader *r) {
  char path[4096];
  const char *slash = strrchr(r->path, '/');
  int folder = slash ? (int)(slash - r->path) + 1 : 0;
  if (snprintf(path, sizeof path, "%.*stokenizer_config.json", folder, r->path) >= (int)sizeof path) return;
  json_t *config = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL); /* model_max_length may be 1e30 in digits */
  int32_t bos = find_added(r, named_token(config, "bos_token")), eos = find_added(r, named_token(config, "eos_token"));
  const json_t *adds = json_object_get(config, "add_bos_token");
  if (bos >= 0) r->t->bos = bos;
  if (eos >= 0) r->t->eos = eos;
  if (json_is_boolean(adds)) r->t->adds_bos = json_is_true(adds);
  json_decref(config);
}

/* ---- the file */

static int check_model(reader *r) {
  const char *type = type_of(r->model);
  const json_t *prefix = json_object_get(r->model, "continuing_subword_prefix");
  if (!json_is_object(r->model) || !json_is_object(json_object_get(r->model, "vocab")))
    return tern_fail(r->e, TERN_FAILED, "%s: no model.vocab: is this a BPE tokenizer.json?", r->path);
  if (*type && !is(type, "BPE")) return refuse(r, "model type", type);
  if (json_string_length(prefix) > 0) return refuse(r, "model", "continuing_subword_prefix");
  return 0;
}

static int build(reader *r) {
  const json_t *vocab = json_object_get(r->model, "vocab"), *added = json_object_get(r->root, "added_tokens");
  size_t count = 0, bytes = 0;
  entry *list = NULL;
  if (count_tokens(r, vocab, added, &count)) return TERN_FAILED;
  if (!(list = calloc(count, sizeof *list))) return tern_fail(r->e, TERN_FAILED, "%s: out of memory", r->path);
  /* Texts are known to fit the file; every one is put once. */
  const char *text;
  json_t *value;
  json_object_foreach((json_t *)vocab, text, value) bytes += strlen(text);
  for (size_t i = 0; i < json_array_size(added); i++)
    bytes += json_string_length(json_object_get(json_array_get(added, i), "content"));
  if (tern_vocab_open(&r->t, (int)count, bytes, false, r->e)) goto out;
  if (add_normalizer(r, json_object_get(r->root, "normalizer")) ||
      add_pre(r, json_object_get(r->root, "pre_tokenizer")))
    goto out;
  r->t->bytes = r->byte_level;
  if (!r->byte_level && !r->piece_blanks) {
    refuse(r, "pre_tokenizer", "neither ByteLevel nor blanks as U+2581");
    goto out;
  }
  r->t->own.whole_words = json_is_true(json_object_get(r->model, "ignore_merges"));
  const tern_pre *known = tern_pre_match(&r->t->own);
  r->t->pre = known ? known : &r->t->own;
  if (list_tokens(r, vocab, added, list, count) || put_tokens(r, list, count)) goto out;
  read_template(r, json_object_get(r->root, "post_processor"));
  read_config(r);
  if (tern_vocab_finish(r->t, r->path, r->e) || put_merges(r)) goto out;
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
  reader r = {.path = path, .e = e};
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
