/* A vocabulary of any size that loads as byte-level BPE: 256 byte tokens (id =
 * byte), then words over " a..z" of two letters, three letters, ..., each
 * merged from the word one shorter and a letter, then special tokens. Every
 * text can be encoded; tokens are distinct; ranks agree with the merges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/format/synth_private.h"

enum {
  BYTES = 256,
  LETTERS = 27, /* the blank and a..z */
  MANY = 4096,  /* vocabularies from this size on have MANY_SPECIAL special tokens */
  MANY_SPECIAL = 256,
  FEW_SPECIAL = 2,
  LONGEST = 40, /* bytes of a token or a merge */
  NORMAL = 1,
  CONTROL = 3
};

/* GPT-2's printable stand-in for a byte, as UTF-8; returns its length. */
static int put_byte(char *to, int byte) {
  int code = byte;
  if (byte <= 32) {
    code = 256 + byte;
  } else if (byte >= 127 && byte <= 160) {
    code = 256 + 33 + byte - 127;
  } else if (byte == 173) {
    code = 256 + 67;
  }
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  to[0] = (char)(0xc0 | code >> 6);
  to[1] = (char)(0x80 | (code & 0x3f));
  return 2;
}

static int put_letter(char *to, int letter) {
  return put_byte(to, letter ? 'a' + letter - 1 : ' ');
}

/* Word number k, with `gap` before its last letter (as a merge is written). */
static int put_word(char *to, int64_t k, const char *gap) {
  int length = 2, n = 0;
  int64_t words = LETTERS * LETTERS;
  while (k >= words) {
    k -= words;
    words *= LETTERS;
    length++;
  }
  for (int i = 0; i < length; i++) {
    words /= LETTERS;
    if (i == length - 1 && *gap) to[n++] = *gap;
    n += put_letter(to + n, (int)(k / words % LETTERS));
  }
  return n;
}

static int put_special(char *to, int i) {
  if (i == 0) return snprintf(to, LONGEST, "<|begin_of_text|>");
  if (i == 1) return snprintf(to, LONGEST, "<|end_of_text|>");
  return snprintf(to, LONGEST, "<|reserved_special_token_%d|>", i - 2);
}

typedef struct vocabulary {
  char (*text)[LONGEST];
  tern_gguf_string *strings;
  int32_t *types;
} vocabulary;

static void put_strings(tern_gguf_writer *w, const vocabulary *v, int size, int special) {
  int words = size - BYTES - special;
  for (int i = 0; i < size; i++) {
    char *to = v->text[i];
    int n = i < BYTES           ? put_byte(to, i)
            : i < BYTES + words ? put_word(to, i - BYTES, "")
                                : put_special(to, i - BYTES - words);
    v->strings[i] = (tern_gguf_string){.data = to, .size = (size_t)n};
    v->types[i] = i < BYTES + words ? NORMAL : CONTROL;
  }
  tern_gguf_put_texts(w, "tokenizer.ggml.tokens", v->strings, (size_t)size);
  tern_gguf_put_i32s(w, "tokenizer.ggml.token_type", v->types, (size_t)size);
  for (int i = 0; i < words; i++) {
    v->strings[i] = (tern_gguf_string){.data = v->text[i], .size = (size_t)put_word(v->text[i], i, " ")};
  }
  tern_gguf_put_texts(w, "tokenizer.ggml.merges", v->strings, (size_t)words);
}

int tern_synth_put_vocabulary(tern_gguf_writer *w, int size, tern_error *e) {
  int special = size >= MANY ? MANY_SPECIAL : FEW_SPECIAL;
  if (size < BYTES + FEW_SPECIAL) {
    return tern_fail(e, TERN_FAILED, "a vocabulary of %d is too small for bytes (at least %d)", size,
                     BYTES + FEW_SPECIAL);
  }
  vocabulary v = {.text = calloc((size_t)size, sizeof *v.text),
                  .strings = calloc((size_t)size, sizeof *v.strings),
                  .types = calloc((size_t)size, sizeof *v.types)};
  int rc = 0;
  if (!v.text || !v.strings || !v.types) {
    rc = tern_fail(e, TERN_FAILED, "a vocabulary of %d: out of memory", size);
    goto out;
  }
  tern_gguf_put_text(w, "tokenizer.ggml.model", "gpt2");
  tern_gguf_put_text(w, "tokenizer.ggml.pre", "llama-bpe");
  put_strings(w, &v, size, special);
  tern_gguf_put_u32(w, "tokenizer.ggml.bos_token_id", (uint32_t)(size - special));
  tern_gguf_put_u32(w, "tokenizer.ggml.eos_token_id", (uint32_t)(size - special + 1));
  tern_gguf_put_bool(w, "tokenizer.ggml.add_bos_token", true);
out:
  free(v.text);
  free(v.strings);
  free(v.types);
  return rc;
}
