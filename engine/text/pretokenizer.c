/* Pre-tokenizers: the patterns that cut text into words before merging, as
 * published with GPT-2 and LLaMA-3. White space is written out, because
 * PCRE2's \s also takes U+180E, which Unicode's White_Space does not. */
#include <stdio.h>
#include <string.h>

#include "engine/text/tokenizer_parts.h"

#define SPACE "\\t-\\r\\x{85}\\p{Z}"

static const tern_pre pres[] = {
    {{"llama-bpe", "llama3", "llama-v3", "falcon3"},
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
     "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
     "|\\p{N}{1,3}"
     "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n]*"
     "|[" SPACE "]*[\\r\\n]+"
     "|[" SPACE "]+(?![^" SPACE "])"
     "|[" SPACE "]+",
     true,
     true},
    {{"gpt-2", "default"},
     "'s|'t|'re|'ve|'m|'ll|'d"
     "| ?\\p{L}+"
     "| ?\\p{N}+"
     "| ?[^" SPACE "\\p{L}\\p{N}]+"
     "|[" SPACE "]+(?![^" SPACE "])"
     "|[" SPACE "]+",
     false,
     false},
};

const tern_pre *tern_pre_find(tern_gguf_string name) {
  for (size_t i = 0; i < sizeof pres / sizeof *pres; i++) {
    for (size_t j = 0; j < 4 && pres[i].names[j] != NULL; j++) {
      if (strlen(pres[i].names[j]) == name.size && memcmp(pres[i].names[j], name.data, name.size) == 0) return &pres[i];
    }
  }
  return NULL;
}

/* bitnet.cpp's converters leave the name out, of the published 2B4T file too;
 * LLaMA-3's vocabulary is known by its specials. */
const tern_pre *tern_pre_guess(const tern_tokenizer *t) {
  static const char mark[] = "<|begin_of_text|>";
  for (int32_t id = 0; id < t->size; id++) {
    tern_gguf_string text = tern_vocab_text(t, id);
    if (text.size == sizeof mark - 1 && memcmp(text.data, mark, text.size) == 0) return &pres[0];
  }
  return &pres[1];
}

int tern_llama3_special(int i, char *out, size_t size) {
  static const struct {
    int i;
    const char *name;
  } named[] = {{0, "begin_of_text"}, {1, "end_of_text"}, {6, "start_header_id"}, {7, "end_header_id"}, {9, "eot_id"}};
  int reserved = i;
  for (size_t j = 0; j < sizeof named / sizeof *named; j++) {
    if (named[j].i == i) return snprintf(out, size, "<|%s|>", named[j].name);
    reserved -= named[j].i < i;
  }
  return snprintf(out, size, "<|reserved_special_token_%d|>", reserved);
}
