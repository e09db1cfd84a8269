/* A tokenizer as Hugging Face's tokenizer.json: the vocabulary with every id,
 * merges in their order, special tokens as added ones, and the rules around.
 * Source: huggingface/tokenizers, serialization of each component. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"

typedef struct exporter {
  const tern_tokenizer *t;
  int rows;
  char *text; /* room for one token and its NUL */
} exporter;

static bool is_special(const tern_tokenizer *t, int32_t id) {
  int type = t->type[id];
  return type == TERN_TOKEN_CONTROL || type == TERN_TOKEN_UNKNOWN || type == TERN_TOKEN_USER;
}

static const char *token(exporter *x, int32_t id) {
  x->text[tern_vocab_write_text(x->t, id, x->text)] = 0;
  return x->text;
}

static json_t *vocabulary(exporter *x) {
  json_t *vocab = json_object();
  char name[32];
  for (int32_t id = 0; id < x->t->size; id++) json_object_set_new(vocab, token(x, id), json_integer(id));
  for (int32_t id = x->t->size; id < x->rows; id++) {
    snprintf(name, sizeof name, "[PAD%d]", (int)id);
    json_object_set_new(vocab, name, json_integer(id));
  }
  return vocab;
}

static int by_rank(const void *a, const void *b) {
  const tern_pair *x = a, *y = b;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  return x->key < y->key ? -1 : x->key > y->key;
}

static json_t *merges(exporter *x) {
  const tern_pair_map *map = &x->t->pairs;
  json_t *list = json_array();
  tern_pair *pairs = malloc(tern_mul(map->count + 1, sizeof *pairs));
  size_t n = 0;
  for (size_t i = 0; pairs && map->slots && i <= map->mask; i++) {
    if (map->slots[i].key != UINT64_MAX) pairs[n++] = map->slots[i];
  }
  if (pairs) qsort(pairs, n, sizeof *pairs, by_rank);
  for (size_t i = 0; i < n; i++) {
    json_t *pair = json_array();
    json_array_append_new(pair, json_string(token(x, (int32_t)(pairs[i].key >> 32))));
    json_array_append_new(pair, json_string(token(x, (int32_t)(pairs[i].key & 0xffffffff))));
    json_array_append_new(list, pair);
  }
  free(pairs);
  return list;
}

static json_t *added_tokens(exporter *x) {
  json_t *list = json_array();
  for (int32_t id = 0; id < x->t->size; id++) {
    if (!is_special(x->t, id)) continue;
    int reach = x->t->reach ? x->t->reach[id] : 0;
    json_array_append_new(list, json_pack("{si, ss, sb, sb, sb, sb, sb}", "id", (int)id, "content", token(x, id),
                                          "single_word", (reach & TERN_REACH_WORD) != 0, "lstrip",
                                          (reach & TERN_REACH_LEFT) != 0, "rstrip", (reach & TERN_REACH_RIGHT) != 0,
                                          "normalized", 0, "special", x->t->type[id] != TERN_TOKEN_USER));
  }
  return list;
}

static json_t *byte_level(bool regex) {
  return json_pack("{ss, sb, sb, sb}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1, "use_regex",
                   (int)regex);
}

static json_t *words(const exporter *x) {
  json_t *list = json_array();
  for (int i = 0; i < TERN_PRE_STAGES && x->t->pre->stages[i]; i++) {
    json_array_append_new(list, json_pack("{ss, s{ss}, ss, sb}", "type", "Split", "pattern", "Regex",
                                          x->t->pre->stages[i], "behavior", "Isolated", "invert", 0));
  }
  json_array_append_new(list, byte_level(false));
  return json_pack("{ss, so}", "type", "Sequence", "pretokenizers", list);
}

static json_t *replace(const char *from, const char *to) {
  return json_pack("{ss, s{ss}, ss}", "type", "Replace", "pattern", "String", from, "content", to);
}

#define BLANK "\xe2\x96\x81"
static json_t *normalizer(const exporter *x) {
  if (x->t->bytes) return x->t->normal.form ? json_pack("{ss}", "type", "NFC") : json_null();
  json_t *list = json_array();
  if (x->t->space_prefix) json_array_append_new(list, json_pack("{ss, ss}", "type", "Prepend", "prepend", BLANK));
  json_array_append_new(list, replace(" ", BLANK));
  return json_pack("{ss, so}", "type", "Sequence", "normalizers", list);
}

static json_t *decoder(const exporter *x) {
  if (x->t->bytes) return byte_level(true);
  json_t *list = json_array();
  json_array_append_new(list, replace(BLANK, " "));
  json_array_append_new(list, json_pack("{ss}", "type", "ByteFallback"));
  json_array_append_new(list, json_pack("{ss}", "type", "Fuse"));
  if (x->t->space_prefix)
    json_array_append_new(list, json_pack("{ss, ss, si, si}", "type", "Strip", "content", " ", "start", 1, "stop", 0));
  return json_pack("{ss, so}", "type", "Sequence", "decoders", list);
}

/* BOS in front, where the tokenizer adds it. */
static json_t *post_processor(exporter *x) {
  if (!x->t->adds_bos || x->t->bos < 0) return json_null();
  const char *bos = token(x, x->t->bos);
  return json_pack("{ss, s[{s{sssi}}, {s{sssi}}], s[{s{sssi}}, {s{sssi}}, {s{sssi}}], s{s{sss[i]s[s]}}}", "type",
                   "TemplateProcessing", "single", "SpecialToken", "id", bos, "type_id", 0, "Sequence", "id", "A",
                   "type_id", 0, "pair", "SpecialToken", "id", bos, "type_id", 0, "Sequence", "id", "A", "type_id", 0,
                   "Sequence", "id", "B", "type_id", 1, "special_tokens", bos, "id", bos, "ids", (int)x->t->bos,
                   "tokens", bos);
}

static json_t *model(exporter *x) {
  const tern_tokenizer *t = x->t;
  json_t *unknown = t->bytes || t->unknown < 0 ? json_null() : json_string(token(x, t->unknown));
  return json_pack("{ss, sn, so, sn, sn, sb, sb, sb, so, so}", "type", "BPE", "dropout", "unk_token", unknown,
                   "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", !t->bytes, "byte_fallback", !t->bytes,
                   "ignore_merges", t->bytes && t->pre->whole_words, "vocab", vocabulary(x), "merges", merges(x));
}

static int save(json_t *root, const char *folder, const char *name, tern_error *e) {
  char path[PATH_MAX];
  tern_output *out = NULL;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int rc = root ? tern_output_open(&out, path, e) : tern_fail(e, TERN_FAILED, "%s: a token is no text in UTF-8", path);
  if (!rc && json_dumpf(root, tern_output_stream(out), JSON_INDENT(1)) != 0) {
    tern_output_abandon(out);
    rc = tern_fail(e, TERN_FAILED, "%s: cannot write", path);
  } else if (!rc) {
    rc = tern_output_commit(out, e);
  }
  json_decref(root);
  return rc;
}

static int check(const tern_tokenizer *t, tern_error *e) {
  const tern_normal *n = &t->normal;
  bool composed = n->form == 0 || (n->form & UTF8PROC_COMPOSE && !(n->form & UTF8PROC_COMPAT));
  if (!t->unigram && composed && !n->charsmap && !n->strip_left && !n->strip_right && !n->collapse) return 0;
  return tern_fail(e, TERN_FAILED,
                   "the tokenizer's rules (%s) can't be written as tokenizer.json; take that of its model",
                   t->unigram ? "unigram" : "normalisation");
}

static json_t *config(exporter *x, tern_gguf_string template) {
  json_t *root = json_pack("{ss, sb, sb}", "tokenizer_class", "PreTrainedTokenizerFast", "add_bos_token",
                           (int)x->t->adds_bos, "clean_up_tokenization_spaces", 0);
  if (x->t->bos >= 0) json_object_set_new(root, "bos_token", json_string(token(x, x->t->bos)));
  if (x->t->eos >= 0) json_object_set_new(root, "eos_token", json_string(token(x, x->t->eos)));
  if (x->t->unknown >= 0) json_object_set_new(root, "unk_token", json_string(token(x, x->t->unknown)));
  if (template.size) json_object_set_new(root, "chat_template", json_stringn(template.data, template.size));
  return root;
}

int tern_tokenizer_export(const tern_tokenizer *t, int rows, tern_gguf_string template, const char *folder,
                          tern_error *e) {
  exporter x = {.t = t, .rows = rows};
  size_t longest = 0;
  if (check(t, e)) return TERN_FAILED;
  for (int32_t id = 0; id < t->size; id++) {
    size_t n = tern_vocab_text(t, id).size;
    longest = n > longest ? n : longest;
  }
  x.text = malloc(3 * longest + 8);
  if (!x.text) return tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  json_t *root =
      json_pack("{ss, sn, sn, so, so, so, so, so, so}", "version", "1.0", "truncation", "padding", "added_tokens",
                added_tokens(&x), "normalizer", normalizer(&x), "pre_tokenizer", t->bytes ? words(&x) : json_null(),
                "post_processor", post_processor(&x), "decoder", decoder(&x), "model", model(&x));
  int rc = save(root, folder, "tokenizer.json", e);
  if (!rc) rc = save(config(&x, template), folder, "tokenizer_config.json", e);
  free(x.text);
  return rc;
}
