/* The list of layouts; a new one is its own file and a line here. */
#include "kernels/layout.h"

#include <string.h>

static const tern_layout *const all[] = {&tern_layout_t2,    &tern_layout_t5,    &tern_layout_t5l,
                                         &tern_layout_q8,    &tern_layout_f32,   &tern_layout_f16,
                                         &tern_layout_bf16,  &tern_layout_t2b64, &tern_layout_t2b128,
                                         &tern_layout_q8b32, &tern_layout_q4b32, NULL};

const tern_layout *const *tern_layouts(void) {
  return all;
}

const tern_layout *tern_layout_find(const char *name) {
  for (const tern_layout *const *l = all; *l; l++)
    if (strcmp((*l)->name, name) == 0) return *l;
  return NULL;
}

size_t tern_layout_x_stride(const tern_layout *l, int cols) {
  const size_t block = (size_t)l->col_block, padded = ((size_t)cols + block - 1) / block * block;
  const size_t stride = (padded + 63) / 64 * 64;
  /* Float rows whole pages apart would fall into the same few sets of the caches. */
  return l->kind == TERN_KIND_FLOAT && stride % 1024 == 0 ? stride + 16 : stride;
}
