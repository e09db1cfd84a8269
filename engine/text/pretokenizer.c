/* Pre-tokenizers: the patterns that cut text into words before merging, as
 * published with each model family (tokenizer.json; where an engine adapted one,
 * what it adapted stays the same set of words). */
#include <stdio.h>
#include <string.h>

#include "engine/text/tokenizer_parts.h"

#define SPACE TERN_PRE_SPACE
#define BLANKS "|[" SPACE "]+(?![^" SPACE "])|[" SPACE "]+"

/* Both families end alike; what they differ in is the number of digits. */
#define LLAMA3(digits)                                                                                                 \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n]*|[" SPACE \
  "]*[\\r\\n]+" BLANKS
#define GPT2 TERN_PRE_GPT2

/* Cased letters as DeepSeek LLM's pattern lists them (an older Unicode's). */
#define CASED                                                                                                          \
  "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}"                      \
  "\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}"                                \
  "\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}"                      \
  "\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}"                      \
  "\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}"                    \
  "\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}"                     \
  "\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}"                     \
  "\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}"                    \
  "\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}"                      \
  "\\x{2126}\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}"                               \
  "\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}"                               \
  "\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}"                     \
  "\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}"                    \
  "\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}"                                   \
  "\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}"                               \
  "\\x{1E900}-\\x{1E943}"
#define CJK "\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}"

/* Words that begin where lower case ends, as GPT-4o's and Tekken's cut them. */
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CAMEL(suffix, digits)                                                                                          \
  "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" suffix "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*" suffix "|" digits  \
  "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n/]*|[" SPACE "]*[\\r\\n]+" BLANKS
/* BLOOM's separators. */
#define NO_SEPARATORS " ?[^(" SPACE "|.,!?\\x{2026}\\x{3002}\\x{FF0C}\\x{3001}\\x{964}\\x{6D4}\\x{60C})]+"

static const tern_pre pres[] = {
    {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"},
     .stages = {LLAMA3("\\p{N}{1,3}")},
     .whole_words = true,
     .adds_bos = true},
    {.names = {"dbrx", "smaug-bpe", "chatglm-bpe", "glm4"}, .stages = {LLAMA3("\\p{N}{1,3}")}},
    {.names = {"gpt-2", "mpt", "olmo", "jais", "trillion", "phi-2", "roberta-bpe", "gigachat", "exaone4", "mellum",
               "modern-bert", "granite-docling"},
     .stages = {GPT2}},
    {.names = {"qwen2", "stablelm2", "hunyuan", "megrez", "deepseek-r1-qwen", "grok-2", "kormo", "f2llmv2",
               "solar-open"},
     .stages = {LLAMA3("\\p{N}")}},
    {.names = {"qwen35"},
     .stages = {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^" SPACE
                "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|[" SPACE "]*[\\r\\n]+" BLANKS}},
    {.names = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"},
     .stages = {"\\p{N}", GPT2}},
    {.names = {"falcon"}, .stages = {"[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"}},
    {.names = {"minicpm5"}, .stages = {"\\p{N}{1,3}", LLAMA3("\\p{N}+")}, .whole_words = true},
    {.names = {"gpt-4o", "llama4", "kanana2", "minimax-m2"},
     .stages = {CAMEL("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}")}},
    {.names = {"tekken"}, .stages = {CAMEL("", "\\p{N}")}, .whole_words = true, .adds_bos = true},
    {.names = {"bloom", "poro-chat", "gpt3-finnish"}, .stages = {NO_SEPARATORS}},
    {.names = {"viking"}, .stages = {NO_SEPARATORS, "\\p{N}"}},
    {.names = {"deepseek-llm"},
     .stages = {"[\r\n]", "[" SPACE "]?[" CASED "]+",
                "[" SPACE "]?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+",
                "[" SPACE "]+$", "[" CJK "]+", "\\p{N}+"}},
    {.names = {"deepseek-coder"},
     .stages = {"[\r\n]", "[" SPACE "]?\\p{L}+", "[" SPACE "]?\\p{P}+", "[" CJK "]+", "\\p{N}"}},
    {.names = {"deepseek-v3", "hunyuan-dense"},
     .stages = {"\\p{N}{1,3}", "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+",
                "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                "| ?[\\p{P}\\p{S}]+[\\r\\n]*|[" SPACE "]*[\\r\\n]+" BLANKS}},
    /* For a vocabulary that names none: what llama.cpp does then. */
    {.names = {"default"}, .stages = {"[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"}},
};
enum { PRES = sizeof pres / sizeof *pres };

const tern_pre *tern_pre_find(tern_gguf_string name) {
  for (size_t i = 0; i < PRES; i++) {
    for (size_t j = 0; j < TERN_PRE_NAMES && pres[i].names[j] != NULL; j++) {
      if (strlen(pres[i].names[j]) == name.size && memcmp(pres[i].names[j], name.data, name.size) == 0) return &pres[i];
    }
  }
  return NULL;
}

const tern_pre *tern_pre_match(const tern_pre *p) {
  for (size_t i = 0; i < PRES; i++) {
    bool same = pres[i].whole_words == p->whole_words;
    for (size_t j = 0; j < TERN_PRE_STAGES && same; j++) {
      const char *a = pres[i].stages[j], *b = p->stages[j];
      same = a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
    }
    if (same) return &pres[i];
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
  return &pres[PRES - 1];
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
