/* The table of one-panel tiles of one to four tokens, made from the including
 * file's tile(g, row, token, tokens). */
static void tile_1(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 1);
}
static void tile_2(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 2);
}
static void tile_3(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 3);
}
static void tile_4(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 4);
}

static const tern_tiles tiles = {
    .panel_rows = 16,
    .panels = 1,
    .tokens = 4,
    .at = {{tile_1, tile_2, tile_3, tile_4}},
};

static void run(const tern_gemm *g, int row0, int row1) {
  tern_tiles_run(&tiles, g, row0, row1);
}
