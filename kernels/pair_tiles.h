/* The table of one-panel tiles of one and two tokens, made from the including
 * file's tile(g, row, token, tokens). */
static void tile_1(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 1);
}
static void tile_2(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 2);
}

static const tern_tiles tiles = {.panel_rows = 16, .panels = 1, .tokens = 2, .at = {{tile_1, tile_2}}};

static void run(const tern_gemm *g, int row0, int row1) {
  tern_tiles_run(&tiles, g, row0, row1);
}
