/* Tiles: the walk that the vector kernels of the integer layouts share. A tile
 * is a few panels of rows times a few tokens, whose sums stay in registers over
 * all columns. The same panels meet all tokens before the next are read, so
 * that weights come from memory once. */
#ifndef TERN_KERNELS_TILE_H
#define TERN_KERNELS_TILE_H

#include "kernels/kernel.h"

/* Loops over registers: they must disappear, or the registers become memory. */
#ifdef __clang__
#define TERN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TERN_UNROLL _Pragma("GCC unroll 16")
#endif
#define TERN_INLINE static inline __attribute__((always_inline))

/* Computes the tile at (row, token) and stores it. */
typedef void (*tern_tile)(const tern_gemm *g, int row, int token);

enum { TERN_TILE_PANELS = 3, TERN_TILE_TOKENS = 8 }; /* largest of any kernel */

typedef struct tern_tiles {
  int panel_rows;
  int panels; /* of the widest tile */
  int tokens; /* of the longest tile */
  int narrow; /* batches up to this many tokens take one panel at a time: DRAM gives one stream twice the rate */
  tern_tile at[TERN_TILE_PANELS][TERN_TILE_TOKENS]; /* [panels - 1][tokens - 1] */
} tern_tiles;

static inline void tern_tiles_run(const tern_tiles *t, const tern_gemm *g, int row0, int row1) {
  const int groups = (g->tokens + t->tokens - 1) / t->tokens;
  const int widest = g->tokens <= t->narrow ? 1 : t->panels;
  for (int row = row0; row < row1; row += widest * t->panel_rows) {
    const int left = (row1 - row + t->panel_rows - 1) / t->panel_rows;
    const int panels = left < widest ? left : widest;
    for (int i = 0, token = 0; i < groups; i++) { /* groups of nearly equal size: no ragged last one */
      const int next = (int)((int64_t)g->tokens * (i + 1) / groups);
      t->at[panels - 1][next - token - 1](g, row, token);
      token = next;
    }
  }
}

#endif
