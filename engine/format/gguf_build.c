/* Keys through the writer and the parser, tensors as given. */
#include "engine/format/gguf_build.h"

#include <stdlib.h>
#include <string.h>

#include "engine/format/gguf_private.h"

static int copy_tensors(tern_gguf *g, const tern_gguf_tensor *tensors, int count, tern_error *e) {
  size_t room = 1;
  for (int i = 0; i < count; i++) room += strlen(tensors[i].name) + 1;
  free(g->tensors);
  free(g->by_name);
  free(g->names);
  g->by_name = NULL;
  g->tensors = calloc((size_t)count + 1, sizeof *g->tensors);
  g->names = malloc(room);
  if (!g->tensors || !g->names) return tern_fail(e, TERN_FAILED, "%s: out of memory", g->name);
  char *name = g->names;
  for (int i = 0; i < count; i++) {
    g->tensors[i] = tensors[i];
    g->tensors[i].name = strcpy(name, tensors[i].name);
    name += strlen(name) + 1;
  }
  g->tensor_count = count;
  return tern_gguf_index(g, e);
}

int tern_gguf_build(tern_gguf **out, const char *name, tern_gguf_writer *keys, const tern_gguf_tensor *tensors,
                    int count, size_t size, tern_gguf_keeper keep, tern_error *e) {
  uint8_t *image = NULL;
  size_t image_size = 0;
  tern_gguf *g = NULL;
  *out = NULL;
  int rc = tern_gguf_writer_image(keys, &image, &image_size, e);
  if (!rc) rc = tern_gguf_parse(&g, image, image_size, name, e);
  if (rc) {
    free(image);
    goto out;
  }
  g->image = image;
  rc = copy_tensors(g, tensors, count, e);
  if (rc) {
    tern_gguf_close(g);
    goto out;
  }
  g->size = size;
  g->keep = keep;
  *out = g;
out:
  tern_gguf_writer_abandon(keys);
  return rc;
}
