/* The table of tiles of one and two panels and up to six tokens, made from the
 * including file's tile(g, row, token, panels, tokens). Batches of up to three
 * tokens take one panel at a time: memory stays one stream. */
#define TILE(panels, tokens)                                                                                           \
  static void tile_##panels##x##tokens(const tern_gemm *g, int row, int token) {                                       \
    tile(g, row, token, panels, tokens);                                                                               \
  }
TILE(1, 1)
TILE(1, 2)
TILE(1, 3)
TILE(1, 4)
TILE(1, 5)
TILE(1, 6)
TILE(2, 3)
TILE(2, 4)
TILE(2, 5)
TILE(2, 6)
#undef TILE

static const tern_tiles tiles = {
    .panel_rows = 16,
    .panels = 2,
    .tokens = 6,
    .narrow = 3,
    .at = {{tile_1x1, tile_1x2, tile_1x3, tile_1x4, tile_1x5, tile_1x6},
           {NULL, NULL, tile_2x3, tile_2x4, tile_2x5, tile_2x6}},
};

static void run(const tern_gemm *g, int row0, int row1) {
  tern_tiles_run(&tiles, g, row0, row1);
}
