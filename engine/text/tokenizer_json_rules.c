/* tokenizer.json's normalizer and pre_tokenizer. What decides about ids and is
 * not known here is refused by name. */
#include <stdlib.h>
#include <utf8proc.h>

#include "engine/base/memory.h"
#include "engine/text/tokenizer_json_parts.h"

enum { PATTERN_LIMIT = 1 << 16 };
#define BLANK "\xe2\x96\x81" /* U+2581 */

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

static int add_stage(tern_json_reader *r, const char *pattern) {
  int i = 0;
  while (i < TERN_PRE_STAGES && r->t->own_stages[i]) i++;
  if (i == TERN_PRE_STAGES) return tern_fail(r->e, TERN_FAILED, "%s: more than %d pre-tokenizers", r->path, i);
  r->t->own_stages[i] = with_white_space(pattern);
  if (!r->t->own_stages[i]) return tern_fail(r->e, TERN_FAILED, "%s: a pre-tokenizer's pattern is too long", r->path);
  r->t->own.stages[i] = r->t->own_stages[i];
  return 0;
}

/* Matches must stand alone: then a stage is what lies between and what matches. */
static int add_split(tern_json_reader *r, const json_t *o) {
  const json_t *pattern = json_object_get(o, "pattern");
  const char *regex = json_string_value(json_object_get(pattern, "Regex"));
  const char *literal = json_string_value(json_object_get(pattern, "String"));
  const char *behavior = json_string_value(json_object_get(o, "behavior"));
  bool invert = json_is_true(json_object_get(o, "invert"));
  if (literal && is(literal, " ") && r->piece_blanks) return 0; /* no blank is left at this point */
  if (!regex) return tern_json_refuse(r, "pre_tokenizer Split", literal ? literal : "pattern");
  bool alone = behavior && (is(behavior, "Isolated") || (is(behavior, "Removed") && invert));
  return alone ? add_stage(r, regex) : tern_json_refuse(r, "pre_tokenizer Split behavior", behavior);
}

static int add_byte_level(tern_json_reader *r, const json_t *o) {
  const json_t *words = json_object_get(o, "use_regex");
  r->byte_level = true;
  if (json_is_true(json_object_get(o, "add_prefix_space"))) return tern_json_refuse(r, "ByteLevel", "add_prefix_space");
  return words && !json_is_true(words) ? 0 : add_stage(r, TERN_PRE_GPT2);
}

static int add_digits(tern_json_reader *r, const json_t *o) {
  return add_stage(r, json_is_true(json_object_get(o, "individual_digits")) ? "\\p{N}" : "\\p{N}+");
}

static int add_punctuation(tern_json_reader *r, const json_t *o) {
  const char *behavior = json_string_value(json_object_get(o, "behavior"));
  if (!behavior || is(behavior, "Isolated")) return add_stage(r, "[!-/:-@\\[-`{-~\\p{P}]");
  if (is(behavior, "Contiguous")) return add_stage(r, "[!-/:-@\\[-`{-~\\p{P}]+");
  return tern_json_refuse(r, "pre_tokenizer Punctuation behavior", behavior);
}

/* A piece starts at each blank unless the file says not to split; old files have
 * add_prefix_space for prepend_scheme. */
static int add_metaspace(tern_json_reader *r, const json_t *o) {
  tern_tokenizer *t = r->t;
  bool prefixed = !json_is_false(json_object_get(o, "add_prefix_space"));
  if (json_object_get(o, "replacement") && !tern_json_is(o, "replacement", BLANK))
    return tern_json_refuse(r, "pre_tokenizer Metaspace replacement",
                            json_string_value(json_object_get(o, "replacement")));
  r->piece_blanks = true;
  t->prefix_missing = true;
  t->space_prefix = json_object_get(o, "prepend_scheme") ? !tern_json_is(o, "prepend_scheme", "never") : prefixed;
  t->prefix_once = tern_json_is(o, "prepend_scheme", "first");
  t->word_each_blank = !json_is_false(json_object_get(o, "split"));
  return 0;
}

/* Any white space is where a word ends: only with Metaspace behind it, which gives each word its blank. */
static int add_white_words(tern_json_reader *r, const json_t *o) {
  (void)o;
  r->t->normal.white_words = true;
  return 0;
}

static const struct {
  const char *type;
  int (*add)(tern_json_reader *, const json_t *);
} pre_kinds[] = {
    {"Split", add_split},         {"ByteLevel", add_byte_level},
    {"Digits", add_digits},       {"Punctuation", add_punctuation},
    {"Metaspace", add_metaspace}, {"WhitespaceSplit", add_white_words},
};

static int add_pre(tern_json_reader *r, const json_t *o) {
  if (!json_is_object(o)) return 0;
  const json_t *list = json_object_get(o, "pretokenizers");
  if (is(type_of(o), "Sequence")) {
    for (size_t i = 0; i < json_array_size(list); i++)
      if (add_pre(r, json_array_get(list, i))) return TERN_FAILED;
    return 0;
  }
  for (size_t i = 0; i < sizeof pre_kinds / sizeof *pre_kinds; i++)
    if (is(type_of(o), pre_kinds[i].type)) return pre_kinds[i].add(r, o);
  return tern_json_refuse(r, "pre_tokenizer", type_of(o));
}

/* ---- normalizer */

static int add_form(tern_json_reader *r, const json_t *o) {
  static const struct {
    const char *type;
    int options;
  } forms[] = {{"NFC", UTF8PROC_COMPOSE},
               {"NFD", UTF8PROC_DECOMPOSE},
               {"NFKC", UTF8PROC_COMPOSE | UTF8PROC_COMPAT},
               {"NFKD", UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (is(type_of(o), forms[i].type)) r->t->normal.form = forms[i].options | UTF8PROC_STABLE;
  return 0;
}

static int add_prepend(tern_json_reader *r, const json_t *o) {
  if (!tern_json_is(o, "prepend", BLANK)) return tern_json_refuse(r, "normalizer", "Prepend");
  r->t->space_prefix = true;
  return 0;
}

static int add_replace(tern_json_reader *r, const json_t *o) {
  const json_t *pattern = json_object_get(o, "pattern");
  if (tern_json_is(pattern, "String", " ") && tern_json_is(o, "content", BLANK))
    r->piece_blanks = true;
  else if (tern_json_is(pattern, "Regex", " {2,}") &&
           (tern_json_is(o, "content", BLANK) || tern_json_is(o, "content", " ")))
    r->t->normal.collapse = true;
  else
    return tern_json_refuse(r, "normalizer", "Replace");
  return 0;
}

static int add_strip(tern_json_reader *r, const json_t *o) {
  r->t->normal.strip_left = !json_is_false(json_object_get(o, "strip_left"));
  r->t->normal.strip_right = !json_is_false(json_object_get(o, "strip_right"));
  return 0;
}

static int add_map(tern_json_reader *r, const json_t *o) {
  const json_t *text = json_object_get(o, "precompiled_charsmap");
  size_t size = json_string_length(text);
  uint8_t *map = malloc(size + 1);
  if (!map) return tern_fail(r->e, TERN_FAILED, "%s: out of memory", r->path);
  size_t n = tern_base64_read((const uint8_t *)json_string_value(text), size, map);
  free((void *)r->t->normal.charsmap);
  r->t->normal.charsmap = map;
  r->t->normal.charsmap_size = n;
  r->t->normal.graphemes = true;
  if (n == SIZE_MAX || !tern_charsmap_valid(map, n))
    return tern_fail(r->e, TERN_FAILED, "%s: normalizer Precompiled: its precompiled_charsmap is no such map", r->path);
  return 0;
}

static const struct {
  const char *type;
  int (*add)(tern_json_reader *, const json_t *);
} normal_kinds[] = {
    {"NFC", add_form},        {"NFD", add_form},        {"NFKC", add_form},   {"NFKD", add_form},
    {"Prepend", add_prepend}, {"Replace", add_replace}, {"Strip", add_strip}, {"Precompiled", add_map},
};

static int add_normalizer(tern_json_reader *r, const json_t *o) {
  if (!json_is_object(o)) return 0;
  const json_t *list = json_object_get(o, "normalizers");
  if (is(type_of(o), "Sequence")) {
    for (size_t i = 0; i < json_array_size(list); i++)
      if (add_normalizer(r, json_array_get(list, i))) return TERN_FAILED;
    return 0;
  }
  for (size_t i = 0; i < sizeof normal_kinds / sizeof *normal_kinds; i++)
    if (is(type_of(o), normal_kinds[i].type)) return normal_kinds[i].add(r, o);
  return tern_json_refuse(r, "normalizer", type_of(o));
}

int tern_json_rules(tern_json_reader *r) {
  if (add_normalizer(r, json_object_get(r->root, "normalizer")) ||
      add_pre(r, json_object_get(r->root, "pre_tokenizer")))
    return TERN_FAILED;
  if (r->t->normal.white_words && !r->piece_blanks) return tern_json_refuse(r, "pre_tokenizer", "WhitespaceSplit");
  return 0;
}
