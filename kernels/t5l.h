/* Layout t5l: five weights in a byte (1.6 bits each), ordered for table lookups.
 * A byte holds the balanced ternary number of five consecutive columns, V = 81
 * w0 + 27 w1 + 9 w2 + 3 w3 + w4, as sign (top bit) and magnitude (0..121): five
 * activations have 122 partial sums and their negatives. A 64-byte block is one
 * group of five columns for a panel of 64 rows. Panels are dealt into slices of
 * nearly equal size; a slice is a sequence of bundles of six groups (the last
 * has what is left), and in a bundle each panel has its blocks together. So the
 * tables of a bundle stay in registers while they meet a slice, whose sums stay
 * in the first-level cache, and weights are read strictly in order. A block's
 * rows are ordered so that unpacking bytes and then words gives rows in order. */
#ifndef TERN_KERNELS_T5L_H
#define TERN_KERNELS_T5L_H

#include "kernels/kernel.h"

enum {
  TERN_T5L_ROWS = 64,   /* rows of a panel, bytes of a block */
  TERN_T5L_PANELS = 32, /* of a slice, at most */
  TERN_T5L_DIGITS = 5,  /* columns of a group */
  TERN_T5L_BUNDLE = 6,  /* groups */
  TERN_T5L_SIGN = 0x80
};

/* Groups in a row. */
static inline int tern_t5l_groups(int cols) {
  return (cols + TERN_T5L_DIGITS - 1) / TERN_T5L_DIGITS;
}

/* Groups of the bundle that starts at group `first`. */
static inline int tern_t5l_bundle(int cols, int first) {
  const int left = tern_t5l_groups(cols) - first;
  return left < TERN_T5L_BUNDLE ? left : TERN_T5L_BUNDLE;
}

static inline int tern_t5l_panels(int rows) {
  return (rows + TERN_T5L_ROWS - 1) / TERN_T5L_ROWS;
}

typedef struct tern_t5l_slice {
  int first, panels;
} tern_t5l_slice;

/* The slice that holds `panel`. */
static inline tern_t5l_slice tern_t5l_slice_of(int rows, int panel) {
  const int all = tern_t5l_panels(rows), slices = (all + TERN_T5L_PANELS - 1) / TERN_T5L_PANELS;
  const int least = all / slices, longer = all % slices; /* the first `longer` have one more */
  const int into = panel - longer * (least + 1);
  if (into < 0) return (tern_t5l_slice){panel / (least + 1) * (least + 1), least + 1};
  return (tern_t5l_slice){panel - into % least, least};
}

/* Offset of the block of `row`'s panel and group `group`. */
static inline size_t tern_t5l_block(int rows, int cols, int row, int group) {
  const int panel = row / TERN_T5L_ROWS, first = group / TERN_T5L_BUNDLE * TERN_T5L_BUNDLE;
  const tern_t5l_slice slice = tern_t5l_slice_of(rows, panel);
  const size_t before = (size_t)slice.first * (size_t)tern_t5l_groups(cols);
  const size_t bundles = (size_t)slice.panels * (size_t)first;
  const size_t panels = (size_t)(panel - slice.first) * (size_t)tern_t5l_bundle(cols, first);
  return (before + bundles + panels + (size_t)(group - first)) * TERN_T5L_ROWS;
}

/* Place of a row in its blocks. */
static inline size_t tern_t5l_place(int row) {
  const int r = row % TERN_T5L_ROWS;
  return (size_t)(r % 16 / 4 * 16 + r / 16 * 4 + r % 4);
}

/* Weight `digit` of a byte. */
static inline int tern_t5l_code(uint8_t byte, int digit) {
  static const int power[TERN_T5L_DIGITS] = {81, 27, 9, 3, 1};
  const int code = ((byte & ~TERN_T5L_SIGN & 0xff) + 121) / power[digit] % 3 - 1;
  return byte & TERN_T5L_SIGN ? -code : code;
}

#endif
