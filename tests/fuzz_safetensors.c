/* libFuzzer target: any bytes as a safetensors file; and, up to a NUL as
 * config.json, as a whole Hugging Face folder whose tensors are all read. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/format/safetensors.h"
#include "tests/fuzz_walk.h"

static void try_file(const uint8_t *data, size_t size) {
  tern_error e = {0};
  tern_safetensors *s;
  if (tern_safetensors_parse(&s, data, size, "fuzz", &e)) {
    expect_reason(&e);
    return;
  }
  volatile uint8_t sum = 0;
  for (int i = 0; i < tern_safetensors_count(s); i++) {
    const tern_safetensor *t = tern_safetensors_at(s, i);
    for (size_t k = 0; k < t->bytes; k++) sum = (uint8_t)(sum + t->data[k]);
  }
  tern_safetensors_close(s);
}

static void save(const char *folder, const char *name, const uint8_t *data, size_t size) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) abort();
}

static const char *own_folder(void) {
  static char folder[PATH_MAX];
  const char *base = getenv("TMPDIR"); /* fuzz.sh removes it afterwards */
  if (!folder[0]) {
    snprintf(folder, sizeof folder, "%s/ternmark-fuzz-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder)) abort();
  }
  return folder;
}

static void try_folder(const uint8_t *config, size_t config_size, const uint8_t *tensors, size_t size) {
  tern_error e = {0};
  tern_gguf *g;
  const char *folder = own_folder();
  save(folder, "config.json", config, config_size);
  save(folder, "model.safetensors", tensors, size);
  if (tern_gguf_open(&g, folder, &e)) {
    expect_reason(&e);
  } else {
    walk_model(g);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *end = size && data[0] == '{' ? memchr(data, 0, size) : NULL;
  if (!end) {
    try_file(data, size);
  } else {
    try_folder(data, (size_t)(end - data), end + 1, size - (size_t)(end - data) - 1);
  }
  return 0;
}
