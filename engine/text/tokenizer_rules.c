/* Rules of a tokenizer for which GGUF has no key of its own, as ternmark.tokenizer.*
 * keys: what tokenizer.json and SentencePiece files say survives conversion, and
 * other engines see what they know. Absent keys leave a rule off. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "engine/text/tokenizer_parts.h"

#define OWN "ternmark.tokenizer."
#define CHARSMAP "tokenizer.ggml.precompiled_charsmap"

enum { MOST_RULES = 32, PATTERN_LIMIT = 1 << 16 };

#define RULE(field) offsetof(tern_tokenizer, field)
static const struct {
  const char *name;
  size_t at; /* of a bool */
} rules[] = {
    {"whole-words", RULE(own.whole_words)},
    {"prefix-once", RULE(prefix_once)},
    {"prefix-missing", RULE(prefix_missing)},
    {"word-each-blank", RULE(word_each_blank)},
    {"fuse-unknown", RULE(fuse_unknown)},
    {"float-paths", RULE(float_paths)},
    {"graphemes", RULE(normal.graphemes)},
    {"strip-left", RULE(normal.strip_left)},
    {"strip-right", RULE(normal.strip_right)},
    {"whole-text", RULE(normal.whole_text)},
    {"collapse", RULE(normal.collapse)},
    {"white-words", RULE(normal.white_words)},
    {"compose", 0},
    {"decompose", 0},
    {"compatible", 0},
};
enum { RULES = sizeof rules / sizeof *rules };

/* The last three are bits of one number. */
static int form_bit(const char *name) {
  if (strcmp(name, "compose") == 0) return UTF8PROC_COMPOSE;
  if (strcmp(name, "decompose") == 0) return UTF8PROC_DECOMPOSE;
  return strcmp(name, "compatible") == 0 ? UTF8PROC_COMPAT : 0;
}

static void set_rule(tern_tokenizer *t, size_t i) {
  int bit = form_bit(rules[i].name);
  if (bit)
    t->normal.form |= bit | UTF8PROC_STABLE;
  else
    *(bool *)((char *)t + rules[i].at) = true;
}

static bool has_rule(const tern_tokenizer *t, size_t i) {
  int bit = form_bit(rules[i].name);
  return bit ? (t->normal.form & bit) != 0 : *(const bool *)((const char *)t + rules[i].at);
}

static tern_gguf_string text_of(const char *text) {
  return (tern_gguf_string){text, strlen(text)};
}

int tern_rules_write(const tern_tokenizer *t, tern_gguf_writer *w, tern_error *e) {
  tern_gguf_string names[RULES], patterns[TERN_PRE_STAGES];
  size_t n = 0, stages = 0;
  for (size_t i = 0; i < RULES; i++)
    if (has_rule(t, i)) names[n++] = text_of(rules[i].name);
  if (n) tern_gguf_put_texts(w, OWN "rules", names, n);
  for (; t->pre == &t->own && t->bytes && stages < TERN_PRE_STAGES && t->own.stages[stages]; stages++)
    patterns[stages] = text_of(t->own.stages[stages]);
  if (stages) tern_gguf_put_texts(w, OWN "patterns", patterns, stages);
  if (t->normal.charsmap) tern_gguf_put_u8s(w, CHARSMAP, t->normal.charsmap, t->normal.charsmap_size);
  if (!t->reach) return TERN_OK;
  int32_t *reach = malloc((size_t)t->size * sizeof *reach);
  if (!reach) return tern_fail(e, TERN_FAILED, "not enough memory to write %d tokens", t->size);
  for (int32_t id = 0; id < t->size; id++) reach[id] = t->reach[id];
  tern_gguf_put_i32s(w, OWN "reach", reach, (size_t)t->size);
  free(reach);
  return TERN_OK;
}

static int read_patterns(tern_tokenizer *t, const tern_gguf *g, tern_error *e) {
  int64_t n = 0;
  tern_gguf_string *patterns = tern_gguf_texts(g, OWN "patterns", &n);
  int status = TERN_OK;
  if (n > TERN_PRE_STAGES)
    status =
        tern_fail(e, TERN_FAILED, "%s: " OWN "patterns has more than %d entries", tern_gguf_name(g), TERN_PRE_STAGES);
  for (int64_t i = 0; patterns && i < n && status == TERN_OK; i++) {
    bool fits = patterns[i].size > 0 && patterns[i].size < PATTERN_LIMIT;
    t->own_stages[i] = fits ? strndup(patterns[i].data, patterns[i].size) : NULL;
    t->own.stages[i] = t->own_stages[i];
    if (!t->own_stages[i])
      status = tern_fail(e, TERN_FAILED, "%s: " OWN "patterns[%d] is no usable pattern", tern_gguf_name(g), (int)i);
  }
  if (patterns && n > 0) t->pre = &t->own;
  free(patterns);
  return status;
}

static int read_charsmap(tern_tokenizer *t, const tern_gguf *g, tern_error *e) {
  int64_t n = 0;
  int64_t *bytes = tern_gguf_integers(g, CHARSMAP, &n);
  if (!bytes || n == 0) {
    free(bytes);
    return TERN_OK;
  }
  uint8_t *map = malloc((size_t)n);
  for (int64_t i = 0; map && i < n; i++) map[i] = (uint8_t)bytes[i]; /* written signed by some */
  free(bytes);
  t->normal.charsmap = map;
  t->normal.charsmap_size = (size_t)n;
  if (map && tern_charsmap_valid(map, (size_t)n)) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "%s: " CHARSMAP " is no such map", tern_gguf_name(g));
}

static int read_reach(tern_tokenizer *t, const tern_gguf *g, tern_error *e) {
  int64_t n = 0;
  int64_t *reach = tern_gguf_integers(g, OWN "reach", &n);
  if (!reach) return TERN_OK;
  t->reach = n <= t->size ? calloc((size_t)t->size, 1) : NULL; /* rows that only pad have none */
  for (int64_t i = 0; t->reach && i < n; i++) t->reach[i] = (uint8_t)(reach[i] & 7);
  free(reach);
  return t->reach ? TERN_OK
                  : tern_fail(e, TERN_FAILED, "%s: " OWN "reach does not fit the vocabulary", tern_gguf_name(g));
}

int tern_rules_read(tern_tokenizer *t, const tern_gguf *g, tern_error *e) {
  int64_t n = 0;
  tern_gguf_string *names = tern_gguf_texts(g, OWN "rules", &n);
  int status = TERN_OK;
  for (int64_t k = 0; names && k < n && k < MOST_RULES && status == TERN_OK; k++) {
    size_t i = 0;
    while (i < RULES &&
           (strlen(rules[i].name) != names[k].size || memcmp(rules[i].name, names[k].data, names[k].size) != 0))
      i++;
    if (i < RULES)
      set_rule(t, i);
    else
      status = tern_fail(e, TERN_FAILED, "%s: " OWN "rules: \"%.*s\" is not known: written by a newer version?",
                         tern_gguf_name(g), (int)(names[k].size < 64 ? names[k].size : 64), names[k].data);
  }
  free(names);
  if (status == TERN_OK && (read_patterns(t, g, e) || read_charsmap(t, g, e) || read_reach(t, g, e)))
    status = TERN_FAILED;
  return status;
}
