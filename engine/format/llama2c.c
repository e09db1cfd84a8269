/* A llama2.c checkpoint as a tern_gguf. Rows need no other order: llama2.c
 * rotates pairs of neighbours, as GGUF's "llama" does.
 * bitllama2c divides a matrix' input by rms * n, n the columns; the constant
 * 1/n goes into the scale, so that the graph has plain RMS norms. */
#include "engine/format/llama2c.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/format/gguf_build.h"
#include "engine/format/gguf_private.h"
#include "engine/format/llama2c_private.h"
#include "engine/format/view.h"

static const float norm_eps = 1e-5f, rope_base = 10000;

static void put_keys(tern_gguf_writer *w, const llama2c_file *f) {
  const char *arch = f->ternary ? "bitllama2c" : "llama";
  const struct {
    const char *key;
    int value;
  } numbers[] = {
      {"context_length", f->context},
      {"embedding_length", f->dim},
      {"block_count", f->layers},
      {"feed_forward_length", f->hidden},
      {"vocab_size", f->vocab},
      {"attention.head_count", f->heads},
      {"attention.head_count_kv", f->kv_heads},
      {"rope.dimension_count", f->dim / f->heads},
  };
  char key[80], path[PATH_MAX];
  snprintf(path, sizeof path, "%s", f->path);
  tern_gguf_put_text(w, "general.architecture", arch);
  tern_gguf_put_text(w, "general.name", basename(path));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    snprintf(key, sizeof key, "%s.%s", arch, numbers[i].key);
    tern_gguf_put_u32(w, key, (uint32_t)numbers[i].value);
  }
  snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", arch);
  tern_gguf_put_f32(w, key, norm_eps);
  snprintf(key, sizeof key, "%s.rope.freq_base", arch);
  tern_gguf_put_f32(w, key, rope_base);
  tern_gguf_put_text(w, "tokenizer.ggml.model", "no_vocab");
}

static void show_tensor(const llama2c_file *f, const llama2c_tensor *t, tern_view *view, tern_gguf_tensor *out) {
  const uint8_t *data = f->data + t->offset;
  *out = (tern_gguf_tensor){.name = t->name,
                            .type = tern_dtype_by_id(TERN_DISK_F32),
                            .dims = t->dims,
                            .shape = {t->cols, t->rows, 1, 1},
                            .data = data,
                            .offset = t->offset};
  if (t->ternary) {
    memcpy(&view->scale, data, sizeof view->scale);
    view->scale /= (float)t->cols;
    view->rows = data + sizeof view->scale;
    out->type = &tern_dtype_packed_llama2c;
    out->data = (const uint8_t *)view;
    out->offset += sizeof view->scale;
  }
  out->bytes = out->type->bytes(t->rows, t->cols);
}

int tern_llama2c_parse(tern_gguf **out, const uint8_t *data, size_t size, const char *name, tern_error *e) {
  llama2c_file f = {0};
  tern_gguf_writer *keys = NULL;
  tern_gguf_tensor *list = NULL;
  tern_view *views = NULL;
  *out = NULL;
  int rc = tern_llama2c_read(&f, data, size, name, e);
  if (rc) goto out;
  list = calloc((size_t)f.count, sizeof *list);
  views = calloc((size_t)f.count, sizeof *views);
  if (!list || !views) {
    rc = tern_fail(e, TERN_FAILED, "%s: out of memory", name);
    goto out;
  }
  for (int i = 0; i < f.count; i++) show_tensor(&f, &f.tensors[i], &views[i], &list[i]);
  if ((rc = tern_gguf_writer_memory(&keys, e))) goto out;
  put_keys(keys, &f);
  rc = tern_gguf_build(out, name, keys, list, f.count, size, (tern_gguf_keeper){.owner = views, .close = free}, e);
out:
  if (rc) free(views);
  free(f.tensors);
  free(list);
  return rc;
}

int tern_llama2c_open(tern_gguf **out, const char *path, tern_error *e) {
  tern_map map;
  *out = NULL;
  if (tern_map_open(&map, path, e)) return TERN_FAILED;
  if (tern_llama2c_parse(out, map.data, map.size, path, e)) {
    tern_map_close(&map);
    return TERN_FAILED;
  }
  (*out)->map = map; /* offsets are those of the file: pages can be given back */
  return 0;
}
