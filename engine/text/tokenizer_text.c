/* Tokens and merges as files write them. */
#include <string.h>

#include "engine/text/tokenizer_parts.h"

/* Piece with U+2581 made a blank; returns its length. */
static size_t plain_piece(tern_gguf_string piece, uint8_t *out) {
  size_t n = 0;
  for (size_t i = 0; i < piece.size;) {
    bool blank = piece.size - i >= 3 && memcmp(piece.data + i, "\xe2\x96\x81", 3) == 0;
    out[n++] = blank ? ' ' : (uint8_t)piece.data[i];
    i += blank ? 3 : 1;
  }
  return n;
}

/* "<0xNN>" -> NN, -1 when it is something else. */
static int byte_piece(tern_gguf_string piece) {
  static const char digits[] = "0123456789ABCDEF";
  if (piece.size != 6 || memcmp(piece.data, "<0x", 3) != 0 || piece.data[5] != '>') return -1;
  const char *high = memchr(digits, piece.data[3], 16), *low = memchr(digits, piece.data[4], 16);
  return high == NULL || low == NULL ? -1 : (int)(16 * (high - digits) + (low - digits));
}

void tern_vocab_put_text(tern_tokenizer *t, int32_t id, tern_gguf_string text, int type, uint8_t *scratch) {
  if (type == TERN_TOKEN_CONTROL || type == TERN_TOKEN_UNKNOWN) {
    tern_vocab_put(t, id, text.data, text.size, type);
  } else if (t->bytes) {
    size_t n = type == TERN_TOKEN_USER ? SIZE_MAX : tern_byte_text_read(text.data, text.size, scratch);
    bool raw = n == SIZE_MAX; /* added tokens are written as they are */
    tern_vocab_put(t, id, raw ? (const void *)text.data : scratch, raw ? text.size : n, type);
  } else if (type == TERN_TOKEN_BYTE && byte_piece(text) >= 0) {
    uint8_t byte = (uint8_t)byte_piece(text);
    tern_vocab_put(t, id, &byte, 1, type);
  } else {
    tern_vocab_put(t, id, scratch, plain_piece(text, scratch), type == TERN_TOKEN_BYTE ? TERN_TOKEN_NORMAL : type);
  }
}

/* Bytes that a written token stands for; SIZE_MAX: none. */
static size_t plain(const tern_tokenizer *t, tern_gguf_string text, uint8_t *out) {
  return t->bytes ? tern_byte_text_read(text.data, text.size, out) : plain_piece(text, out);
}

int tern_vocab_put_merge(tern_tokenizer *t, tern_gguf_string left, tern_gguf_string right, uint32_t rank,
                         tern_error *e) {
  uint8_t both[TERN_TOKEN_LIMIT];
  if (left.size + right.size > sizeof both) return TERN_OK; /* longer than any token */
  size_t a = plain(t, left, both), b = a == SIZE_MAX ? a : plain(t, right, both + a);
  if (b == SIZE_MAX) return TERN_OK;
  int32_t first = tern_text_map_find(&t->texts, t, both, a), second = tern_text_map_find(&t->texts, t, both + a, b);
  int32_t id = tern_text_map_find(&t->texts, t, both, a + b);
  if (first < 0 || second < 0 || id < 0) return TERN_OK;
  return tern_pair_map_put(&t->pairs, first, second, rank, id, e);
}
