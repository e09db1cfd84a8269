/* t5 as the ARM kernels read it (t5.h): floor(27 n / 256) holds the first three
 * digits, its remainder n' the other two as floor(9 n' / 256); two tables of
 * sixteen and three of twenty-seven give the digits themselves. */
#ifndef TERN_KERNELS_T5_NEON_H
#define TERN_KERNELS_T5_NEON_H

#include <arm_neon.h>

#include "kernels/t5.h"
#include "kernels/tile.h"

enum { STEP = TERN_T5_COLUMNS, STEP_BYTES = TERN_T5_BLOCK, FIELDS = TERN_T5_DIGITS, OFFSET = 1 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t5_offset(g->cols, row);
}

/* What unpack() looks digits up in. */
typedef struct codebook {
  int8x16x2_t of_three[3];
  int8x16_t of_two[2];
  uint8x16_t by27;
} codebook;

/* What a compiler knows to be constant it loads again in every turn of a loop. */
#define STAYS(vector) __asm__("" : "+w"(vector))

TERN_INLINE codebook learn(void) {
  static const int8_t digits[8][16] = {
      {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1},
      {1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2},
      {0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 1, 1, 1, 2},
      {2, 2, 0, 0, 0, 1, 1, 1, 2, 2, 2},
      {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0},
      {1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2},
      {0, 0, 0, 1, 1, 1, 2, 2, 2},
      {0, 1, 2, 0, 1, 2, 0, 1, 2},
  };
  codebook book;
  TERN_UNROLL
  for (int f = 0; f < 3; f++) {
    book.of_three[f] = (int8x16x2_t){{vld1q_s8(digits[2 * f]), vld1q_s8(digits[2 * f + 1])}};
    STAYS(book.of_three[f].val[0]);
    STAYS(book.of_three[f].val[1]);
  }
  TERN_UNROLL
  for (int f = 0; f < 2; f++) {
    book.of_two[f] = vld1q_s8(digits[6 + f]);
    STAYS(book.of_two[f]);
  }
  book.by27 = vdupq_n_u8(27);
  return book;
}

TERN_INLINE void unpack(const codebook *book, const uint8_t *step, int quad, int8x16_t *digits) {
  const uint8x16_t n = vld1q_u8(step + 16 * quad);
  const uint8x16_t low = vreinterpretq_u8_u16(vmull_u8(vget_low_u8(n), vget_low_u8(book->by27)));
  const uint8x16_t high = vreinterpretq_u8_u16(vmull_high_u8(n, book->by27));
  const uint8x16_t three = vuzp2q_u8(low, high), rest = vuzp1q_u8(low, high);
  const uint8x16_t two = vshrq_n_u8(vhaddq_u8(rest, vshrq_n_u8(rest, 3)), 4);
  TERN_UNROLL
  for (int f = 0; f < 3; f++) digits[f] = vqtbl2q_s8(book->of_three[f], three);
  TERN_UNROLL
  for (int f = 0; f < 2; f++) digits[3 + f] = vqtbl1q_s8(book->of_two[f], two);
}

#endif
