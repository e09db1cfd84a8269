/* A model of whatever kind, told apart by what is there, not by its name. */
#include <string.h>
#include <sys/stat.h>

#include "engine/format/gguf_private.h"
#include "engine/format/llama2c.h"
#ifdef TERN_WITH_JSON /* absent from cross builds, for which there is no jansson */
#include "engine/format/hf.h"
#endif

static int open_folder(tern_gguf **out, const char *path, tern_error *e) {
#ifdef TERN_WITH_JSON
  return tern_hf_open(out, path, e);
#else
  *out = NULL;
  return tern_fail(e, TERN_FAILED, "%s: is a folder; this build reads GGUF files only", path);
#endif
}

static bool ends_with(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  return n >= m && strcmp(path + n - m, end) == 0;
}

int tern_gguf_open(tern_gguf **out, const char *path, tern_error *e) {
  struct stat st;
  tern_map map;
  *out = NULL;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return open_folder(out, path, e);
  if (ends_with(path, ".safetensors") || ends_with(path, "config.json")) {
    return tern_fail(e, TERN_FAILED, "%s: is a part of a Hugging Face folder; give the folder", path);
  }
  if (tern_map_open(&map, path, e)) return TERN_FAILED;
  if (tern_llama2c_is(map.data, map.size)) {
    tern_map_close(&map);
    return tern_llama2c_open(out, path, e);
  }
  if (tern_gguf_parse(out, map.data, map.size, path, e)) {
    tern_map_close(&map);
    return TERN_FAILED;
  }
  (*out)->map = map;
  return 0;
}
