/* Row work of a stage, spread over the team. Each member has a share, the same
 * every time, so that its weights stay near it; shares are taken in pieces, and
 * who is done helps its neighbours: a core that is slower, or away for a
 * moment, holds up only a piece. Who computes a row does not show in it. */
#include "engine/model/forward.h"

enum { PIECES = 8, HELPED = 8 }; /* of a share; neighbours that a member helps */
enum { TILED_ROWS = 192 };       /* pieces of a batch are whole tiles of every kernel */

void tern_run_rows(const tern_product *to, const tern_input *in, int tokens, void *scratch, int row0, int row1) {
  const tern_matrix *m = to->m;
  tern_gemm g = {.weights = m->data,
                 .rows = m->rows,
                 .cols = m->cols,
                 .w_scale = m->scale,
                 .w_scale_stride = m->scale_stride,
                 .x = in->data,
                 .x_stride = tern_matrix_x_stride(m),
                 .x_scale = in->scale,
                 .x_sum = in->sum,
                 .x_block_stride = tern_matrix_x_blocks(m),
                 .tokens = tokens,
                 .y = to->y,
                 .y_stride = to->stride,
                 .y_int = to->sums,
                 .scratch = scratch};
  m->kernels[tern_batch_class(tokens)]->run(&g, row0, row1);
}

static int blocks_of(const tern_matrix *m) {
  return (m->rows + m->layout->row_block - 1) / m->layout->row_block;
}

/* Blocks [lo, hi) of all products' blocks counted through. */
static void run_blocks(const tern_product *products, int count, const tern_input *in, int tokens, void *scratch, int lo,
                       int hi) {
  for (int i = 0; i < count; i++) {
    const tern_matrix *m = products[i].m;
    int block = m->layout->row_block, blocks = blocks_of(m);
    int first = lo > 0 ? lo : 0, end = hi < blocks ? hi : blocks;
    if (first < end) {
      tern_run_rows(&products[i], in, tokens, scratch, first * block, end == blocks ? m->rows : end * block);
    }
    lo -= blocks;
    hi -= blocks;
  }
}

/* Blocks a piece of a share of `blocks`. */
static int piece_of(const tern_matrix *m, int blocks, int tokens, int size) {
  int tile = tokens > 1 ? (TILED_ROWS + m->layout->row_block - 1) / m->layout->row_block : 1;
  if (size == 1) return blocks;
  return ((blocks + PIECES - 1) / PIECES + tile - 1) / tile * tile;
}

void tern_multiply(tern_workspace *s, tern_operator op, const tern_product *products, int count, const tern_input *in,
                   int tokens, int member, int size) {
  tern_lane *l = &s->lanes[member];
  int total = 0, turn = (int)(l->stage++ & 1);
  for (int i = 0; i < count; i++) total += blocks_of(products[i].m);
  atomic_store_explicit(&l->taken[!turn], 0, memory_order_relaxed); /* of the last stage, which all have left */
  for (int help = 0; help < size && help <= HELPED; help++) {
    int owner = (member + help) % size, lo, hi;
    atomic_int *taken = &s->lanes[owner].taken[turn];
    tern_split(total, 1, owner, size, &lo, &hi);
    int piece = piece_of(products[0].m, hi - lo, tokens, size);
    while (lo < hi) {
      int first = lo + piece * atomic_fetch_add_explicit(taken, 1, memory_order_relaxed);
      if (first >= hi) break;
      run_blocks(products, count, in, tokens, l->scratch, first, first + piece < hi ? first + piece : hi);
    }
  }
  tern_mark(l, op);
  tern_meet(s, l);
}
